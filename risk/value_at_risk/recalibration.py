"""A value at risk that learns from its own exceedances: wider after a bar that exceeded it, narrower after any other.

Gibbs and Candes, "Adaptive conformal inference under distribution shift", NeurIPS 2021, section 2, in the form of the
quantile tracker of Angelopoulos, Candes and Tibshirani, "Conformal PID control for time series prediction", NeurIPS
2023, section 2.1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep
from risk.value_at_risk.loss import loss_percent

STATE_VERSION = 1
"""Goes up when the packed row or a formula changes."""

LEARNING_RATE = 0.0015
"""What a bar that did not exceed takes off the logarithm of a value at risk.

It was chosen on the S&P 500 of 1999 to 2018; from 0.001 on, 95 % of windows are green there, on the Nasdaq and on SPY.
"""

MOST_LEARNING_RATE = 0.01
"""At this rate one exceedance at 99 % makes a value at risk 2.7 times as wide, and more would be no forecast."""

MOST_LOG_FACTOR = math.log(10.0)
"""No value at risk is made more than ten times as wide, or narrower than a tenth: such a model is to be fitted anew."""


@dataclass(frozen=True, slots=True)
class RiskInForce:
    """What was in force for each of n bars and what is for the next, float64[n, levels] each.

    Losses over one bar, in percent of the price. What was in force is NaN for a symbol's first bar. In each row neither
    the values at risk nor the shortfalls fall from a level to a higher one, and no shortfall is below its value at
    risk.
    """

    value_at_risk_percent: NDArray[np.float64]
    expected_shortfall_percent: NDArray[np.float64]
    next_value_at_risk_percent: NDArray[np.float64]
    next_expected_shortfall_percent: NDArray[np.float64]


class Recalibration(KeyedStep):
    """Keeps for every symbol and level how much wider than forecast a value at risk has to be.

    It is one number s a level, 0 at first. The log return at the level is multiplied by exp(s), or divided by it where
    it is a gain, so that a greater s never lowers a value at risk; the expected shortfall goes with it. After a bar s
    grows by `learning_rate / (1 - level)` if the loss exceeded what was in force, and shrinks by `learning_rate`
    anyway: as often as the level promises, they cancel. So over any bars the exceedances are those expected and the
    growth of s times `(1 - level) / learning_rate`, whatever the model, as long as s is not held at
    MOST_LOG_FACTOR. A `learning_rate` of 0 leaves forecasts as they are.

    A level whose value at risk would be below that of the level before takes the latter's: 99 % is never below 95 %.

    s stays when a symbol's model is fitted anew or its method changes: it goes on learning from there. `levels` rise.
    Raises ValueError unless they do, and for rates outside [0, MOST_LEARNING_RATE].

    >>> step = Recalibration(levels=(0.99,), learning_rate=0.0015)
    >>> found = step.advance(["X"] * 3, np.array([0.0, 2.5, 0.1]), np.full((3, 1), 2.0), np.full((3, 1), 2.4))
    >>> found.next_value_at_risk_percent.ravel().round(4).tolist()
    [2.0, 2.3165, 2.313]
    """

    def __init__(self, levels: Sequence[float] = (0.95, 0.975, 0.99), learning_rate: float = LEARNING_RATE) -> None:
        if not levels or list(levels) != sorted(set(levels)):
            raise ValueError(f"levels {tuple(levels)}: give one or more that rise, such as (0.95, 0.99)")
        if not 0.0 <= learning_rate <= MOST_LEARNING_RATE:
            raise ValueError(
                f"learning_rate {learning_rate}: give it from 0, not to learn, to {MOST_LEARNING_RATE}, such as"
                f" {LEARNING_RATE}"
            )
        self._levels = np.array(levels)
        self._learning_rate = learning_rate
        by_level = ("<f8", (len(levels),))
        self._rows = KeyedRows(
            np.dtype(
                [
                    ("known", "<i8"),
                    ("log_factor", *by_level),
                    ("value_at_risk", *by_level),
                    ("expected_shortfall", *by_level),
                ]
            )
        )

    def advance(
        self,
        symbol: Sequence[str],
        loss_percent: NDArray[np.float64],
        next_value_at_risk_percent: NDArray[np.float64],
        next_expected_shortfall_percent: NDArray[np.float64],
    ) -> RiskInForce:
        """Take n closed bars in the order of the log; return what was in force for each and what now is.

        `loss_percent` float64[n] is what each bar lost, at most 100, and the other columns float64[n, levels] what a
        model forecasts for the bar after it.
        """
        rows = self._rows.rows(symbol)
        table, shape = self._rows.table, next_value_at_risk_percent.shape
        found = RiskInForce(np.empty(shape), np.empty(shape), np.empty(shape), np.empty(shape))
        _advance(
            table["known"],
            table["log_factor"],
            table["value_at_risk"],
            table["expected_shortfall"],
            rows,
            loss_percent,
            next_value_at_risk_percent,
            next_expected_shortfall_percent,
            self._levels,
            self._learning_rate,
            found.value_at_risk_percent,
            found.expected_shortfall_percent,
            found.next_value_at_risk_percent,
            found.next_expected_shortfall_percent,
        )
        return found


@njit(cache=True)
def learnt_log_factor(log_factor: float, exceeded: bool, level: float, learning_rate: float) -> float:
    """Return the logarithm s of a factor after a bar that exceeded the value at risk at a level, or did not.

    >>> round(learnt_log_factor(0.1, True, 0.99, 0.0015), 6), round(learnt_log_factor(0.1, False, 0.99, 0.0015), 6)
    (0.2485, 0.0985)
    """
    if learning_rate == 0.0:
        return 0.0
    grown = log_factor + learning_rate * ((1.0 / (1.0 - level) if exceeded else 0.0) - 1.0)
    return min(max(grown, -MOST_LOG_FACTOR), MOST_LOG_FACTOR)


@njit(cache=True)
def recalibrated_loss_percent(forecast_percent: float, log_factor: float) -> float:
    """Return a loss whose log return is that of a forecast loss times exp(s), or divided by it if it is a gain.

    >>> from math import log
    >>> [round(recalibrated_loss_percent(one, log(2.0)), 6) for one in (19.0, -21.0)]
    [34.39, -10.0]
    """
    if log_factor == 0.0:
        return forecast_percent
    # The mean of losses of all there is may be above it by a rounding, which no log return leads to.
    log_return_percent = 100.0 * np.log1p(-min(forecast_percent, 100.0) / 100.0)
    return loss_percent(log_return_percent * math.exp(log_factor if log_return_percent < 0.0 else -log_factor))


@njit(cache=True)
def _advance(
    known: NDArray[np.int64],
    log_factor: NDArray[np.float64],
    value_at_risk: NDArray[np.float64],
    shortfall: NDArray[np.float64],
    rows: NDArray[np.int64],
    loss: NDArray[np.float64],
    forecast_value_at_risk: NDArray[np.float64],
    forecast_shortfall: NDArray[np.float64],
    levels: NDArray[np.float64],
    learning_rate: float,
    was_value_at_risk: NDArray[np.float64],
    was_shortfall: NDArray[np.float64],
    next_value_at_risk: NDArray[np.float64],
    next_shortfall: NDArray[np.float64],
) -> None:
    for at in range(len(rows)):
        row = rows[at]
        for level in range(len(levels)):
            was_value_at_risk[at, level], was_shortfall[at, level] = math.nan, math.nan
            if known[row] == 1:
                was = value_at_risk[row, level]
                was_value_at_risk[at, level], was_shortfall[at, level] = was, shortfall[row, level]
                log_factor[row, level] = learnt_log_factor(
                    log_factor[row, level], loss[at] > was, levels[level], learning_rate
                )
            value = recalibrated_loss_percent(forecast_value_at_risk[at, level], log_factor[row, level])
            mean = max(recalibrated_loss_percent(forecast_shortfall[at, level], log_factor[row, level]), value)
            if level > 0:
                value, mean = max(value, value_at_risk[row, level - 1]), max(mean, shortfall[row, level - 1])
            value_at_risk[row, level], shortfall[row, level] = value, mean
            next_value_at_risk[at, level], next_shortfall[at, level] = value, mean
        known[row] = 1
