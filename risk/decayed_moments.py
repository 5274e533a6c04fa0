"""Exponentially decayed count, mean and variance of a customer's amounts, at 1, 7 and 30 days.

An event of age a counts exp(-a / w) for the time constant w. Mean and squared deviations are updated as West (1979,
"Updating mean and variance estimates: an improved method") does it for weighted data, so that nothing cancels.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from risk.array_loop import array_loop
from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep

STATE_VERSION = 1
DAY_NS = 86_400_000_000_000
WINDOW_DAYS = (1, 7, 30)
_FORGOTTEN = 1e-12
"""A weight below this is no past at all: what is left of it is rounding."""
_NO_SPREAD = 1e-9
"""A variance below this times the squared mean is rounding: the amounts were equal."""

MOMENT_FIELDS = [("weight", "<f8", (3,)), ("mean", "<f8", (3,)), ("spread", "<f8", (3,))]
"""The fields of a row: decayed count, mean, and decayed sum of squared deviations, for each window."""


@array_loop
def update_moments(
    weight: npt.NDArray[np.float64],
    mean: npt.NDArray[np.float64],
    spread: npt.NDArray[np.float64],
    elapsed_days: float,
    amount: float,
    out_count: npt.NDArray[np.float64],
    out_mean: npt.NDArray[np.float64],
    out_z: npt.NDArray[np.float64],
) -> None:
    """Write the moments as of before the event, and the amount's z-score by them; then take the event up."""
    for window in range(3):
        decay = np.exp(-elapsed_days / WINDOW_DAYS[window])
        w = weight[window] * decay
        s = spread[window] * decay
        m = mean[window]
        if w < _FORGOTTEN:
            w = 0.0
            s = 0.0
            m = 0.0
        out_count[window] = w
        out_mean[window] = m
        variance = s / w if w > 0.0 else 0.0
        deviation = amount - m
        out_z[window] = deviation / np.sqrt(variance) if variance > _NO_SPREAD * m * m else 0.0
        w += 1.0
        m += deviation / w
        weight[window] = w
        mean[window] = m
        spread[window] = s + deviation * (amount - m)


@array_loop
def _fold(
    rows: npt.NDArray[np.int64],
    event_time_ns: npt.NDArray[np.int64],
    amount: npt.NDArray[np.float64],
    last_time_ns: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float64],
    mean: npt.NDArray[np.float64],
    spread: npt.NDArray[np.float64],
    features: npt.NDArray[np.float64],
) -> None:
    for at in range(rows.shape[0]):
        row = rows[at]
        time_ns = max(event_time_ns[at], last_time_ns[row])
        elapsed_days = (time_ns - last_time_ns[row]) / DAY_NS
        last_time_ns[row] = time_ns
        update_moments(
            weight[row],
            mean[row],
            spread[row],
            elapsed_days,
            amount[at],
            features[at, 0:3],
            features[at, 3:6],
            features[at, 6:9],
        )


class DecayedMoments(KeyedStep):
    """The decayed moments of a partition's customers: counts, means and z-scores at 1, 7 and 30 days.

    >>> moments = DecayedMoments()
    >>> start = 1_767_225_600_000_000_000
    >>> moments.advance(["ann", "ann"], np.array([start, start]), np.array([10.0, 30.0]))[:, :4].tolist()
    [[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 10.0]]
    """

    def __init__(self) -> None:
        self._rows = KeyedRows(np.dtype([("last_time_ns", "<i8"), *MOMENT_FIELDS]))

    def advance(
        self,
        customer_id: Sequence[str],
        event_time_ns: npt.NDArray[np.int64],
        amount: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        """Take up events in their order; return float64[n, 9]: three counts, means and z-scores, before each event."""
        rows = self._rows.rows(customer_id)
        table = self._rows.table
        features = np.empty((len(rows), 9))
        _fold(
            rows,
            event_time_ns,
            amount,
            table["last_time_ns"],
            table["weight"],
            table["mean"],
            table["spread"],
            features,
        )
        return features
