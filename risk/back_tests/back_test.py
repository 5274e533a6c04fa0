"""Live back-tests: each symbol's exceedances, and what the tests say of its last 250 bars."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.back_tests.acerbi_szekely import acerbi_szekely_sums
from risk.back_tests.christoffersen import independence_ratio
from risk.back_tests.dynamic_quantile import dynamic_quantile_statistic
from risk.back_tests.exceedances import exceedances
from risk.back_tests.proportion_of_failures import proportion_of_failures_ratio
from risk.back_tests.quantile_loss import mean_quantile_loss
from risk.back_tests.traffic_light import plus_factor, traffic_light_zone
from risk.distributions.chi_squared import chi_squared_survival
from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep

STATE_VERSION = 1
"""Goes up when the packed row or a formula changes."""

WINDOW_BARS = 250
"""How many of the last bars the tests look at: the trading days of a year, as the traffic light has them."""

TRAFFIC_LIGHT_LEVEL = 0.99
"""The level whose exceedances the traffic light counts."""


@dataclass(frozen=True, slots=True)
class BackTests:
    """What each of n bars did, and the tests of its symbol's last 250 bars, it among them, at each of the levels.

    `exceeded` bool[n, levels]: the bar lost more than the value at risk in force, which is false where none was.
    `bars` int64[n] is how many bars the tests see, `exceedances` int64[n, levels] how many of them exceeded. P-values,
    float64[n, levels], are those of Kupiec's proportion of failures, of Christoffersen's conditional coverage and of
    the dynamic quantile; `acerbi_szekely_z2` and `mean_quantile_loss_percent`, float64[n, levels] too, compare
    forecasts. `traffic_light_zone` int64[n] is the position in `traffic_light.ZONES`, `plus_factor` float64[n] what it
    adds to the capital multiplier, both at 99 %. Before the first value at risk the counts, Z2 and the losses are 0,
    the p-values 1 and the zone green.
    """

    exceeded: NDArray[np.bool_]
    bars: NDArray[np.int64]
    exceedances: NDArray[np.int64]
    proportion_of_failures_p_value: NDArray[np.float64]
    conditional_coverage_p_value: NDArray[np.float64]
    dynamic_quantile_p_value: NDArray[np.float64]
    acerbi_szekely_z2: NDArray[np.float64]
    mean_quantile_loss_percent: NDArray[np.float64]
    traffic_light_zone: NDArray[np.int64]
    plus_factor: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.bars)


class BackTest(KeyedStep):
    """Back-tests of the forecasts of every symbol, bar by bar.

    `levels` are those of the forecasts; 0.99 must be among them for the traffic light, else ValueError is raised. What
    the tests say of few bars is of little worth: `bars` tells how many there are.

    >>> step = BackTest(levels=(0.95, 0.99))
    >>> losses, values = np.array([1.0, 2.0]), np.array([[np.nan, np.nan], [1.5, 2.5]])
    >>> found = step.advance(["X", "X"], losses, values, values + 1.0)
    >>> found.exceeded.tolist(), found.bars.tolist(), found.exceedances.tolist()
    ([[False, False], [True, False]], [0, 1], [[0, 0], [1, 0]])
    """

    def __init__(self, levels: Sequence[float] = (0.95, 0.975, 0.99)) -> None:
        if TRAFFIC_LIGHT_LEVEL not in levels:
            raise ValueError(
                f"levels {tuple(levels)} lack {TRAFFIC_LIGHT_LEVEL}, which the traffic light counts: add it"
            )
        self.levels = tuple(levels)
        self._levels = np.array(self.levels)
        self._traffic_light = self.levels.index(TRAFFIC_LIGHT_LEVEL)
        window = (len(self.levels), WINDOW_BARS)
        self._rows = KeyedRows(
            np.dtype(
                [
                    ("bars", "<i8"),
                    ("losses", "<f8", (WINDOW_BARS,)),
                    ("values_at_risk", "<f8", window),
                    ("expected_shortfalls", "<f8", window),
                ]
            )
        )

    def advance(
        self,
        symbol: Sequence[str],
        loss_percent: NDArray[np.float64],
        value_at_risk_percent: NDArray[np.float64],
        expected_shortfall_percent: NDArray[np.float64],
    ) -> BackTests:
        """Take the losses of n bars, float64[n] in the order of the log, and what was forecast for each.

        The forecasts in force for the bars, float64[n, levels], were made before them; a bar for which one of them is
        not a number is not counted. All are in percent of the price, a loss positive.
        """
        count, levels = len(symbol), len(self.levels)
        shape = (count, levels)
        found = BackTests(
            exceeded=np.zeros(shape, dtype=np.bool_),
            bars=np.empty(count, dtype=np.int64),
            exceedances=np.empty(shape, dtype=np.int64),
            proportion_of_failures_p_value=np.empty(shape),
            conditional_coverage_p_value=np.empty(shape),
            dynamic_quantile_p_value=np.empty(shape),
            acerbi_szekely_z2=np.empty(shape),
            mean_quantile_loss_percent=np.empty(shape),
            traffic_light_zone=np.empty(count, dtype=np.int64),
            plus_factor=np.empty(count),
        )
        rows = self._rows.rows(symbol)
        table = self._rows.table
        _advance(
            table["bars"],
            table["losses"],
            table["values_at_risk"],
            table["expected_shortfalls"],
            rows,
            loss_percent,
            value_at_risk_percent,
            expected_shortfall_percent,
            self._levels,
            self._traffic_light,
            found.exceeded,
            found.bars,
            found.exceedances,
            found.proportion_of_failures_p_value,
            found.conditional_coverage_p_value,
            found.dynamic_quantile_p_value,
            found.acerbi_szekely_z2,
            found.mean_quantile_loss_percent,
            found.traffic_light_zone,
            found.plus_factor,
        )
        return found


@njit(cache=True)
def _advance(
    bars: NDArray[np.int64],
    losses: NDArray[np.float64],
    values_at_risk: NDArray[np.float64],
    expected_shortfalls: NDArray[np.float64],
    rows: NDArray[np.int64],
    loss_percent: NDArray[np.float64],
    value_at_risk_percent: NDArray[np.float64],
    expected_shortfall_percent: NDArray[np.float64],
    levels: NDArray[np.float64],
    traffic_light: int,
    exceeded: NDArray[np.bool_],
    bars_seen: NDArray[np.int64],
    exceedance_counts: NDArray[np.int64],
    proportion_of_failures_p_value: NDArray[np.float64],
    conditional_coverage_p_value: NDArray[np.float64],
    dynamic_quantile_p_value: NDArray[np.float64],
    acerbi_szekely_z2: NDArray[np.float64],
    mean_loss: NDArray[np.float64],
    zone: NDArray[np.int64],
    plus: NDArray[np.float64],
) -> None:
    """Take bars up, and fill in what each did and what the tests say of its symbol's window."""
    for at in range(len(rows)):
        row = rows[at]
        window = losses[row]
        counted = True
        for level in range(len(levels)):
            counted &= math.isfinite(value_at_risk_percent[at, level] + expected_shortfall_percent[at, level])
        if counted:
            seen = bars[row]
            if seen == WINDOW_BARS:
                seen -= 1
                _drop_first(window)
                for level in range(len(levels)):
                    _drop_first(values_at_risk[row, level])
                    _drop_first(expected_shortfalls[row, level])
            window[seen] = loss_percent[at]
            for level in range(len(levels)):
                values_at_risk[row, level, seen] = value_at_risk_percent[at, level]
                expected_shortfalls[row, level, seen] = expected_shortfall_percent[at, level]
                exceeded[at, level] = loss_percent[at] > value_at_risk_percent[at, level]
            bars[row] = seen + 1
        seen = bars[row]
        bars_seen[at] = seen
        for number in range(len(levels)):
            level, values = levels[number], values_at_risk[row, number, :seen]
            hits = exceedances(window[:seen], values)
            many, ratios = acerbi_szekely_sums(window[:seen], hits, expected_shortfalls[row, number, :seen])
            exceedance_counts[at, number] = many
            coverage = proportion_of_failures_ratio(seen, many, level)
            proportion_of_failures_p_value[at, number] = chi_squared_survival(coverage, 1)
            conditional_coverage_p_value[at, number] = chi_squared_survival(coverage + independence_ratio(hits), 2)
            statistic, freedom = dynamic_quantile_statistic(hits, values, level)
            dynamic_quantile_p_value[at, number] = chi_squared_survival(statistic, freedom)
            acerbi_szekely_z2[at, number] = 1.0 - ratios / (seen * (1.0 - level)) if seen > 0 else 0.0
            mean_loss[at, number] = mean_quantile_loss(window[:seen], values, level)
        many = exceedance_counts[at, traffic_light]
        zone[at] = traffic_light_zone(seen, many, TRAFFIC_LIGHT_LEVEL)
        plus[at] = plus_factor(seen, many, TRAFFIC_LIGHT_LEVEL)


@njit(cache=True)
def _drop_first(values: NDArray[np.float64]) -> None:
    """Move values one place towards the front, over the first."""
    for at in range(len(values) - 1):
        values[at] = values[at + 1]
