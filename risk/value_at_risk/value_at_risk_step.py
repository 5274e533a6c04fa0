"""The values at risk and expected shortfalls of each symbol's next bars, by four methods."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import StandardisedDistribution, standardised_quantile
from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep
from risk.value_at_risk.empirical_tail import empirical_tail, put_smallest, worse_outcomes
from risk.value_at_risk.equal_cells import equal_cells
from risk.value_at_risk.quasi_random import MOST_DIMENSIONS, antithetic_weyl_points
from risk.value_at_risk.sorted_window import insert_sorted
from risk.value_at_risk.tail_quadrature import quadrature_tail, tail_nodes, tail_weights
from schemas.risk_figure import RiskMethod

STATE_VERSION = 1
"""Goes up when the packed row or a formula changes."""

METHODS: tuple[RiskMethod, ...] = ("normal", "fitted_distribution", "filtered_historical", "monte_carlo")
"""The methods, in the order of the columns that hold one value for each."""

RESIDUALS = 500
"""How many of the last standardised residuals filtered historical simulation draws from."""

LEAST_RESIDUALS = 250
"""With fewer than these, it draws from the fitted distribution in their place."""

PATHS = 1_024
"""How many paths each of both simulations has."""

MOST_SIMULATED_BARS = MOST_DIMENSIONS
"""Longer horizons are not simulated: one bar's outcomes are scaled by the cumulated variance."""

Simulate = Callable[[Sequence[str], NDArray[np.float64]], NDArray[np.float64]]
"""Takes n symbols and standardised innovations of their next h bars, float64[n, paths, h], and returns the log return
over these bars together, in percent and with its mean, float64[n, paths]."""

_NORMAL, _FITTED, _HISTORICAL, _MONTE_CARLO = range(len(METHODS))

# Innovations of this many rows are in memory at a time, however many rows there are.
_ROWS_AT_A_TIME = 16

_ROW = np.dtype([("count", "<i8"), ("residuals", "<f8", (RESIDUALS,)), ("arrivals", "<u2", (RESIDUALS,))])


@dataclass(frozen=True, slots=True)
class ValuesAtRisk:
    """What each bar forecasts for the bars after it, of a long position, in percent of its price; a loss is positive.

    `value_at_risk_percent` and `expected_shortfall_percent` are float64[n, methods, levels, horizons] in the order of
    METHODS and of the step's levels and horizons. `filtered` bool[n] is false where there were too few residuals yet,
    and "filtered_historical" stands for the fitted distribution.
    """

    value_at_risk_percent: NDArray[np.float64]
    expected_shortfall_percent: NDArray[np.float64]
    filtered: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.filtered)


class ValueAtRisk(KeyedStep):
    """Value at risk and expected shortfall of every symbol, from its variance forecasts and its last residuals.

    Over one bar the variance is known, so the log return is `mean + deviation * z`, and the methods differ in where z
    comes from: the normal; the distribution that the symbol's model was fitted with; the last 500 standardised
    residuals (filtered historical simulation: Barone-Adesi, Giannopoulos and Vosper, "VaR without correlations for
    portfolios of derivative securities", Journal of Futures Markets 19, 1999; Hull and White, "Incorporating
    volatility updating into the historical simulation method", Journal of Risk 1, 1998); or 1,024 equally likely cells
    of the fitted distribution (Monte Carlo with stratified draws).

    Over 2 to 20 bars both simulations send 1,024 paths through the symbol's volatility model, whose variance follows
    each path; a fixed set of quasi-random points says which residual or cell each bar of a path gets. The two
    parametric methods, and over more than 20 bars both simulations, scale one bar's z by the square root of the
    cumulated variance forecast.

    `distributions` are by symbol, with "*" for those without one of their own. Raises ValueError without "*", and for
    levels outside [0.9, 1) or horizons below 1.

    >>> step = ValueAtRisk({"*": StandardisedDistribution("normal")}, levels=(0.99,), horizons_bars=(1,))
    >>> columns = np.array([0.3]), np.array([0.0]), np.array([[1.0]])
    >>> forecast = step.advance(["X"], *columns, lambda symbols, innovations: innovations.sum(axis=2))
    >>> forecast.value_at_risk_percent.ravel().round(3).tolist(), forecast.filtered.tolist()
    ([2.299, 2.299, 2.299, 2.29], [False])
    """

    def __init__(
        self,
        distributions: Mapping[str, StandardisedDistribution],
        levels: Sequence[float] = (0.95, 0.975, 0.99),
        horizons_bars: Sequence[int] = (1, 10),
    ) -> None:
        if "*" not in distributions:
            raise ValueError(f'distributions {sorted(distributions)} lack the pooled entry "*": add it')
        for level in levels:
            if not 0.9 <= level < 1.0:
                raise ValueError(f"level {level} of a value at risk: give it from 0.9 to below 1, such as 0.99")
        if min(horizons_bars, default=0) < 1:
            raise ValueError(f"horizons_bars {tuple(horizons_bars)}: give one or more, each of at least one bar")
        self.levels = tuple(levels)
        self.horizons_bars = tuple(horizons_bars)
        self._levels = np.array(self.levels)
        self._horizons = np.array(self.horizons_bars, dtype=np.int64)
        self._simulated = [at for at, bars in enumerate(horizons_bars) if 1 < bars <= MOST_SIMULATED_BARS]
        bars = max((horizons_bars[at] for at in self._simulated), default=1)
        self._points = antithetic_weyl_points(PATHS, bars)
        self._weights = tail_weights()
        self._distribution_of = dict(distributions)
        self._number_of: dict[str, int] = {}
        self._tabulate()
        self._rows = KeyedRows(_ROW)

    def install(self, symbol: str, distribution: StandardisedDistribution) -> None:
        """Let another distribution be the one that a symbol's model is fitted with, from its next bar on."""
        if self._distribution_of.get(symbol) != distribution:
            self._distribution_of[symbol] = distribution
            self._tabulate()

    def _tabulate(self) -> None:
        """Lay out the tables of the distributions in use."""
        # The normal's stand first: every symbol has that method.
        distinct = list(dict.fromkeys([StandardisedDistribution("normal"), *self._distribution_of.values()]))
        tables = [_tables(one, self.levels) for one in distinct]
        self._quantiles, self._nodes, self._cells = (np.array(one) for one in zip(*tables, strict=True))
        place = {one: at for at, one in enumerate(distinct)}
        self._number_of = {symbol: place[one] for symbol, one in self._distribution_of.items()}

    def advance(
        self,
        symbol: Sequence[str],
        standardised_residual: NDArray[np.float64],
        mean_percent: NDArray[np.float64],
        cumulative_variance_percent2: NDArray[np.float64],
        simulate: Simulate,
    ) -> ValuesAtRisk:
        """Take the residuals of n closed bars in the order of the log; return what each forecasts.

        `standardised_residual`, finite, is that of the bar that closed; `mean_percent` is the mean of each bar to come,
        and `cumulative_variance_percent2` float64[n, horizons] the forecast of the variance over the next bars
        together. `simulate` is asked once for each simulated horizon, about a few rows at a time, and answers from the
        state after the bar: so a symbol must come once in a call where a horizon is simulated.
        """
        count, levels, horizons = len(symbol), len(self.levels), len(self.horizons_bars)
        shape = (count, len(METHODS), levels, horizons)
        found = ValuesAtRisk(np.empty(shape), np.empty(shape), np.empty(count, dtype=np.bool_))
        number_of, pooled = self._number_of.get, self._number_of["*"]
        numbers = np.fromiter((number_of(one, pooled) for one in symbol), dtype=np.int64, count=count)
        rows = self._rows.rows(symbol)
        table = self._rows.table
        bars = self._points.shape[1] if self._simulated else 0
        for first in range(0, count, _ROWS_AT_A_TIME):
            part = slice(first, min(first + _ROWS_AT_A_TIME, count))
            innovations = np.empty((part.stop - first, 2 * PATHS, bars))
            _advance(
                table["count"],
                table["residuals"],
                table["arrivals"],
                rows[part],
                standardised_residual[part],
                mean_percent[part],
                cumulative_variance_percent2[part],
                numbers[part],
                self._levels,
                self._horizons,
                self._quantiles,
                self._nodes,
                self._weights,
                self._cells,
                self._points,
                innovations,
                found.value_at_risk_percent[part],
                found.expected_shortfall_percent[part],
                found.filtered[part],
            )
            for at in self._simulated:
                wanted = np.ascontiguousarray(innovations[:, :, : self.horizons_bars[at]])
                _put_simulated(
                    simulate(symbol[part], wanted),
                    self._levels,
                    found.value_at_risk_percent[part, :, :, at],
                    found.expected_shortfall_percent[part, :, :, at],
                )
        return found


@lru_cache(maxsize=2048)
def _tables(
    distribution: StandardisedDistribution, levels: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a distribution's quantiles and nodes by level, and its equally likely cells; not to be written to."""
    shape = distribution.shape()
    return (
        np.array([standardised_quantile(1.0 - level, *shape) for level in levels]),
        np.array([tail_nodes(level, *shape) for level in levels]),
        equal_cells(PATHS, *shape),
    )


@njit(cache=True)
def _advance(
    counts: NDArray[np.int64],
    residuals: NDArray[np.float64],
    arrivals: NDArray[np.uint16],
    rows: NDArray[np.int64],
    standardised_residual: NDArray[np.float64],
    mean_percent: NDArray[np.float64],
    cumulative_variance_percent2: NDArray[np.float64],
    numbers: NDArray[np.int64],
    levels: NDArray[np.float64],
    horizons: NDArray[np.int64],
    quantiles: NDArray[np.float64],
    nodes: NDArray[np.float64],
    weights: NDArray[np.float64],
    cells: NDArray[np.float64],
    points: NDArray[np.float64],
    innovations: NDArray[np.float64],
    value_at_risk: NDArray[np.float64],
    shortfall: NDArray[np.float64],
    filtered: NDArray[np.bool_],
) -> None:
    """Take residuals up, fill in what needs no simulation, and lay out the innovations of what does."""
    for at in range(len(rows)):
        row, number = rows[at], numbers[at]
        ascending = residuals[row]
        seen = insert_sorted(ascending, arrivals[row], counts[row], standardised_residual[at])
        counts[row] += 1
        filtered[at] = seen >= LEAST_RESIDUALS
        for horizon in range(len(horizons)):
            mean = horizons[horizon] * mean_percent[at]
            deviation = np.sqrt(cumulative_variance_percent2[at, horizon])
            simulated = 1 < horizons[horizon] <= MOST_SIMULATED_BARS
            for level in range(len(levels)):
                for method, one in ((_NORMAL, 0), (_FITTED, number)):
                    value_at_risk[at, method, level, horizon], shortfall[at, method, level, horizon] = quadrature_tail(
                        quantiles[one, level], nodes[one, level], weights, mean, deviation
                    )
                if simulated:
                    continue
                if filtered[at]:
                    value, expected = empirical_tail(ascending, seen, levels[level], mean, deviation)
                else:
                    value, expected = (
                        value_at_risk[at, _FITTED, level, horizon],
                        shortfall[at, _FITTED, level, horizon],
                    )
                value_at_risk[at, _HISTORICAL, level, horizon] = value
                shortfall[at, _HISTORICAL, level, horizon] = expected
                value, expected = empirical_tail(cells[number], PATHS, levels[level], mean, deviation)
                value_at_risk[at, _MONTE_CARLO, level, horizon] = value
                shortfall[at, _MONTE_CARLO, level, horizon] = expected
        for path in range(PATHS):
            for bar in range(innovations.shape[2]):
                drawn = cells[number, int(points[path, bar] * PATHS)]
                innovations[at, PATHS + path, bar] = drawn
                if filtered[at]:
                    drawn = ascending[int(points[path, bar] * seen)]
                innovations[at, path, bar] = drawn


@njit(cache=True)
def _put_simulated(
    log_return_percent: NDArray[np.float64],
    levels: NDArray[np.float64],
    value_at_risk: NDArray[np.float64],
    shortfall: NDArray[np.float64],
) -> None:
    """Fill in both simulations of one horizon, from the log returns of historical paths and then of the others."""
    wanted = 1
    for level in levels:
        wanted = max(wanted, worse_outcomes(PATHS, level) + 1)
    worst = np.empty(wanted)
    for at in range(len(log_return_percent)):
        for method, first in ((_HISTORICAL, 0), (_MONTE_CARLO, PATHS)):
            put_smallest(log_return_percent[at, first : first + PATHS], worst)
            for level in range(len(levels)):
                value_at_risk[at, method, level], shortfall[at, method, level] = empirical_tail(
                    worst, PATHS, levels[level], 0.0, 1.0
                )
