"""Whether the last standardised residuals still look as if the model were right: a step of state by symbol.

If it is, they are uncorrelated, and so are their squares, and their mean square is 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.distributions.chi_squared import chi_squared_survival
from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep

STATE_VERSION = 1
"""Goes up when the packed row or a formula changes."""

RESIDUALS = 500
"""How many of the last residuals are tested; with fewer, nothing is rejected."""

LAGS = 10

REJECTED_BELOW_P = 1e-4
"""Bars come by the hundred, and each is tested anew: a level of 1 % would reject right models every day."""

LARGEST = 1e6
"""Residuals count in the tests with no more than this, so that no square overflows."""

_ROW = np.dtype([("count", "<i8"), ("residuals", "<f8", (RESIDUALS,))])


@dataclass(frozen=True, slots=True)
class ResidualVerdicts:
    """What the tests say after each of n bars, p-values float64[n], 1 while there are too few residuals.

    `correlation_p` is of the residuals, `squares_p` of their squares, `scale_p` of their mean square being 1;
    `rejected` bool[n] where one of the latter two, which volatility must answer for, is below REJECTED_BELOW_P.
    """

    correlation_p: NDArray[np.float64]
    squares_p: NDArray[np.float64]
    scale_p: NDArray[np.float64]
    rejected: NDArray[np.bool_]


class ResidualTests(KeyedStep):
    """Tests the last residuals of every symbol after each bar.

    >>> step = ResidualTests()
    >>> alternating = np.tile([1.2, -1.2], 250)
    >>> verdicts = step.advance(["X"] * 500, alternating)
    >>> float(verdicts.correlation_p[-2]), float(verdicts.correlation_p[-1]) < 1e-9
    (1.0, True)
    """

    def __init__(self) -> None:
        self._rows = KeyedRows(_ROW)

    def advance(self, symbol: Sequence[str], standardised_residual: NDArray[np.float64]) -> ResidualVerdicts:
        """Take the residuals of n closed bars in the order of the log; return what the tests say after each."""
        count = len(symbol)
        statistics = np.empty((count, 4))
        rows = self._rows.rows(symbol)
        _advance(self._rows.table["count"], self._rows.table["residuals"], rows, standardised_residual, statistics)
        p = np.ones((count, 3))
        for at in np.flatnonzero(statistics[:, 3] > 0.0).tolist():
            p[at] = (
                chi_squared_survival(statistics[at, 0], LAGS),
                chi_squared_survival(statistics[at, 1], LAGS),
                math.erfc(abs(statistics[at, 2]) / math.sqrt(2.0)),
            )
        rejected = np.asarray(p[:, 1:].min(axis=1) < REJECTED_BELOW_P) if count else np.zeros(0, dtype=np.bool_)
        return ResidualVerdicts(p[:, 0], p[:, 1], p[:, 2], rejected)

    def forget(self, symbol: str) -> None:
        """Begin anew with a symbol, whose model is another from now on."""
        (row,) = self._rows.rows([symbol])
        self._rows.table[row] = np.zeros((), dtype=_ROW)


@njit(cache=True)
def _advance(
    counts: NDArray[np.int64],
    residuals: NDArray[np.float64],
    rows: NDArray[np.int64],
    standardised_residual: NDArray[np.float64],
    statistics: NDArray[np.float64],
) -> None:
    """Put each residual into its symbol's ring, and fill in the statistics; the fourth tells whether they were made."""
    ordered = np.empty(RESIDUALS)
    for at in range(len(rows)):
        row = rows[at]
        place = counts[row] % RESIDUALS
        residuals[row, place] = min(max(standardised_residual[at], -LARGEST), LARGEST)
        counts[row] += 1
        statistics[at] = 0.0
        if counts[row] < RESIDUALS:
            continue
        for one in range(RESIDUALS):
            ordered[one] = residuals[row, (place + 1 + one) % RESIDUALS]
        statistics[at, 0] = ljung_box(ordered, LAGS)
        squares = ordered * ordered
        statistics[at, 1] = ljung_box(squares, LAGS)
        statistics[at, 2] = scale_statistic(squares)
        statistics[at, 3] = 1.0


@njit(cache=True)
def ljung_box(values: NDArray[np.float64], lags: int) -> float:
    """Return the statistic of Ljung and Box for values float64[n], chi-squared with `lags` degrees of freedom.

    Of squared residuals it is the test of McLeod and Li. It is 0 for values that are all equal. Ljung and Box, "On a
    measure of lack of fit in time series models", Biometrika 65 (1978); McLeod and Li, "Diagnostic checking ARMA time
    series models using squared-residual autocorrelations", Journal of Time Series Analysis 4 (1983).

    >>> round(ljung_box(np.array([1.0, -1.0, 1.0, -1.0]), 1), 12)
    4.5
    """
    count = len(values)
    centred = values - values.mean()
    scale = np.abs(centred).max()
    if scale == 0.0:
        return 0.0
    # Of one size, squares of large values do not overflow.
    centred /= scale
    total = (centred * centred).sum()
    statistic = 0.0
    for lag in range(1, lags + 1):
        correlation = (centred[lag:] * centred[: count - lag]).sum() / total
        statistic += correlation * correlation / (count - lag)
    return float(count * (count + 2) * statistic)


@njit(cache=True)
def scale_statistic(squares: NDArray[np.float64]) -> float:
    """Return how many standard errors the mean of squared residuals float64[n] is from 1; 0 where all are equal.

    >>> round(scale_statistic(np.array([0.0, 2.0, 0.0, 6.0])), 12)
    0.816496580928
    """
    mean = squares.mean()
    deviation = np.sqrt(((squares - mean) ** 2).mean())
    if deviation == 0.0:
        return 0.0
    return float((mean - 1.0) / (deviation / np.sqrt(len(squares))))
