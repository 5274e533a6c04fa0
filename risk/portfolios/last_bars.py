"""The last bar of every symbol, and what it did in the step that is open: the time between two bar ends.

The market as a whole advances by steps. A step is open until a bar with a later end is known, whosever it is; a bar
counts in the step that is open when it comes, even if it ended before. Two bars of a symbol in one step count as one.
"""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep

STATE_VERSION = 1
"""Goes up when the packed row or a formula changes."""

MOST_DEVIATIONS = 50.0
"""A residual is cut off here: what is further out is a fault of the data, and would be all that a correlation knows."""

# The close, and that before the step; the next bar's variance in percent squared; the step of the last bar, counted
# from 1; and in it the return in excess of its mean and its variance, in percent and percent squared.
_ROW = np.dtype(
    [
        ("close", "<f8"),
        ("step_close", "<f8"),
        ("next_variance", "<f8"),
        ("step", "<i8"),
        ("excess", "<f8"),
        ("variance", "<f8"),
    ]
)


class LastBars(KeyedStep):
    """The last bar of every symbol.

    >>> bars = LastBars()
    >>> rows = bars.take(["X", "X"], np.array([[5.0, 0.0, 4.0, 9.0, 1.0], [6.0, 0.0, 4.0, 16.0, -2.0]]), step=1)
    >>> bars.residuals(rows[:1], 1).round(6).tolist(), bars.closes(rows[:1]).tolist()
    ([-0.707107], [6.0])
    """

    def __init__(self) -> None:
        self._rows = KeyedRows(_ROW)

    def rows(self, symbol: Sequence[str]) -> NDArray[np.int64]:
        """Return the row number of each symbol, int64[n], which stays as it is; new ones have no bar yet."""
        return self._rows.rows(symbol)

    def take(self, symbol: Sequence[str], numbers: NDArray[np.float64], step: int) -> NDArray[np.int64]:
        """Take the bars of an open step, in order, float64[n, BAR_NUMBERS]; return their symbols' row numbers."""
        rows = self._rows.rows(symbol)
        _take(self._rows.table, rows, numbers, step)
        return rows

    def moved(self, rows: NDArray[np.int64], step: int) -> NDArray[np.bool_]:
        """Return which symbols had a bar in a step, bool[n]."""
        found: NDArray[np.bool_] = self._rows.table["step"][rows] == step
        return found

    def residuals(self, rows: NDArray[np.int64], step: int) -> NDArray[np.float64]:
        """Return the standardised residuals of a step, float64[n], with NaN for symbols that had no bar in it."""
        return np.asarray(_residuals(self._rows.table, rows, step))

    def closes(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the last closes, float64[n], 0 for symbols without any."""
        found: NDArray[np.float64] = self._rows.table["close"][rows]
        return found

    def moves(self, rows: NDArray[np.int64], step: int) -> NDArray[np.float64]:
        """Return by how much the closes rose in a step, float64[n], 0 for symbols that had no bar in it or before."""
        table = self._rows.table[rows]
        known = (table["step"] == step) & (table["step_close"] > 0.0)
        return np.where(known, table["close"] - table["step_close"], 0.0)

    def deviations_percent(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the forecast deviations of the next bars' log returns, float64[n]."""
        variances: NDArray[np.float64] = self._rows.table["next_variance"][rows]
        return np.sqrt(variances)


@njit(cache=True)
def _take(table: NDArray[np.void], rows: NDArray[np.int64], numbers: NDArray[np.float64], step: int) -> None:
    for at in range(len(rows)):
        row = table[rows[at]]
        close, _, variance, next_variance, residual = numbers[at]
        if row["step"] != step:
            row["step"] = step
            row["step_close"] = row["close"]
            row["excess"] = 0.0
            row["variance"] = 0.0
        row["close"] = close
        row["next_variance"] = next_variance
        row["excess"] += math.sqrt(variance) * residual
        row["variance"] += variance


@njit(cache=True)
def _residuals(table: NDArray[np.void], rows: NDArray[np.int64], step: int) -> NDArray[np.float64]:
    found = np.empty(len(rows))
    for at in range(len(rows)):
        row = table[rows[at]]
        if row["step"] != step:
            found[at] = math.nan
        elif row["variance"] > 0.0:
            residual = row["excess"] / math.sqrt(row["variance"])
            found[at] = min(max(residual, -MOST_DEVIATIONS), MOST_DEVIATIONS)
        else:
            found[at] = 0.0
    return found
