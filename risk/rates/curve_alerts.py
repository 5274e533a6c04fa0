"""Which shocks and inversions of a currency's curve alert: once an event, not once a curve."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep
from risk.rates.rate_parameters import RateParameters

STATE_VERSION = 1
"""Goes up when the packed row or a rule changes."""

# When the last move was that was not quiet, 0 before the first alert; how much of a shock was alerted; 1 if inverted.
_ROW = np.dtype([("stirred_ns", "<i8"), ("alerted_score", "<f8"), ("inverted", "<i8")])


class CurveAlerts(KeyedStep):
    """The events that each currency's curve is in.

    A shock is an event from its alert until all moves were quiet for the cool-down; within it only a shock
    `escalation` times as great as the one alerted alerts again. An inversion lasts until the slope has recovered.

    >>> step = CurveAlerts(RateParameters(cool_down_ns=10))
    >>> times, scores = np.array([1, 2, 3, 20]), np.array([1.2, 1.1, 2.5, 1.0])
    >>> shocked, inverted = step.advance(["USD"] * 4, times, scores, np.array([0.1, -0.1, 0.1, -0.1]))
    >>> shocked.tolist(), inverted.tolist()
    ([True, False, True, True], [False, True, False, False])
    """

    def __init__(self, parameters: RateParameters) -> None:
        self._parameters = parameters
        self._rows = KeyedRows(_ROW)

    def advance(
        self,
        currency: Sequence[str],
        event_time_ns: NDArray[np.int64],
        score: NDArray[np.float64],
        slope_percent: NDArray[np.float64],
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Take closed curves, each column of length n; return which alert for a shock and which for an inversion."""
        rows = self._rows.rows(currency)
        shocked, inverted = np.zeros(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.bool_)
        _advance(
            self._rows.table,
            rows,
            event_time_ns,
            score,
            slope_percent,
            self._parameters.cool_down_ns,
            self._parameters.quiet_share,
            self._parameters.escalation,
            self._parameters.inversion_rearm_percent,
            shocked,
            inverted,
        )
        return shocked, inverted


@njit(cache=True)
def _advance(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    event_time_ns: NDArray[np.int64],
    score: NDArray[np.float64],
    slope_percent: NDArray[np.float64],
    cool_down_ns: int,
    quiet_share: float,
    escalation: float,
    rearm_percent: float,
    shocked: NDArray[np.bool_],
    inverted: NDArray[np.bool_],
) -> None:
    """Advance the table by closed curves and mark those that alert."""
    for at in range(len(rows)):
        row = table[rows[at]]
        quiet = row["stirred_ns"] == 0 or event_time_ns[at] - row["stirred_ns"] >= cool_down_ns
        if score[at] >= 1.0 and (quiet or score[at] >= escalation * row["alerted_score"]):
            shocked[at] = True
            row["stirred_ns"], row["alerted_score"] = event_time_ns[at], score[at]
        elif not quiet and score[at] >= quiet_share:
            row["stirred_ns"] = event_time_ns[at]
        if row["inverted"] == 0 and slope_percent[at] < 0.0:
            inverted[at] = True
            row["inverted"] = 1
        elif row["inverted"] == 1 and slope_percent[at] >= rearm_percent:
            row["inverted"] = 0
