"""Puts features on one scale, as they stream: z-score or min-max, frozen at the training statistics or adapting.

An adapting normaliser treats each row by the statistics as of before it, and then takes the row up. Means and variances
are updated as West (1979) does for weighted data, without cancellation; weights decay with the half-life in event time,
and the training statistics begin with the weight of `PRIOR_ROWS` rows. The bounds of min-max close in on the middle
between them with the same half-life, and open at once for what lies outside.
"""

from collections.abc import Iterable
from typing import Literal

import numpy as np
import numpy.typing as npt
from numba import njit

STATE_VERSION = 1
DAY_NS = 86_400_000_000_000
PRIOR_ROWS = 1000.0
LIMIT = 1e6
"""Normalised values are cut off at plus and minus this: a model must not be fed infinities."""

_KEY = b"normaliser"


@njit(cache=True)
def _adapt_zscore(
    features: npt.NDArray[np.float64],
    event_time_ns: npt.NDArray[np.int64],
    clock: npt.NDArray[np.int64],
    half_life_days: float,
    weight: npt.NDArray[np.float64],
    mean: npt.NDArray[np.float64],
    spread: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    last_ns = clock[0]
    for row in range(features.shape[0]):
        time_ns = max(event_time_ns[row], last_ns) if last_ns > 0 else event_time_ns[row]
        decay = 0.5 ** ((time_ns - last_ns) / DAY_NS / half_life_days) if last_ns > 0 else 1.0
        last_ns = time_ns
        for column in range(features.shape[1]):
            value = features[row, column]
            deviation_unit = np.sqrt(spread[column] / weight[column]) if weight[column] > 0.0 else 0.0
            out[row, column] = (value - mean[column]) / deviation_unit if deviation_unit > 0.0 else 0.0
            kept = max(weight[column] * decay, 1e-9)
            spread[column] *= kept / weight[column]
            weight[column] = kept
            if np.isfinite(value):
                deviation = value - mean[column]
                weight[column] += 1.0
                mean[column] += deviation / weight[column]
                spread[column] += deviation * (value - mean[column])
    clock[0] = last_ns


@njit(cache=True)
def _adapt_minmax(
    features: npt.NDArray[np.float64],
    event_time_ns: npt.NDArray[np.int64],
    clock: npt.NDArray[np.int64],
    half_life_days: float,
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    last_ns = clock[0]
    for row in range(features.shape[0]):
        time_ns = max(event_time_ns[row], last_ns) if last_ns > 0 else event_time_ns[row]
        decay = 0.5 ** ((time_ns - last_ns) / DAY_NS / half_life_days) if last_ns > 0 else 1.0
        last_ns = time_ns
        for column in range(features.shape[1]):
            value = features[row, column]
            width = high[column] - low[column]
            out[row, column] = (value - low[column]) / width if width > 0.0 else 0.0
            middle = low[column] + width / 2
            low[column] = middle - (middle - low[column]) * decay
            high[column] = middle + (high[column] - middle) * decay
            if np.isfinite(value):
                low[column] = min(value, low[column])
                high[column] = max(value, high[column])
    clock[0] = last_ns


@njit(cache=True)
def _within(value: float) -> float:
    """Return the value within plus and minus LIMIT, and 0 for NaN."""
    if np.isnan(value):
        return 0.0
    return -LIMIT if value < -LIMIT else LIMIT if value > LIMIT else value


@njit(cache=True, error_model="numpy")
def _normalise(
    features: npt.NDArray[np.float64],
    centre: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    for row in range(features.shape[0]):
        for column in range(features.shape[1]):
            spread = scale[column]
            out[row, column] = _within((features[row, column] - centre[column]) / spread) if spread > 0.0 else 0.0


@njit(cache=True)
def _limit(out: npt.NDArray[np.float64]) -> None:
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            out[row, column] = _within(out[row, column])


@njit(cache=True)
def running_moments(
    features: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the mean and the population standard deviation of each column, float64[F] each, in one pass.

    Welford's update (1962), so that large values of little spread lose nothing. Values that are not finite are left
    out; a column without any has mean 0 and deviation 0.

    >>> mean, deviation = running_moments(np.array([[1e9 + 1.0], [1e9 + 3.0], [np.nan]]))
    >>> mean.tolist(), deviation.tolist()
    ([1000000002.0], [1.0])
    """
    count = np.zeros(features.shape[1])
    mean = np.zeros(features.shape[1])
    spread = np.zeros(features.shape[1])
    for row in range(features.shape[0]):
        for column in range(features.shape[1]):
            value = features[row, column]
            if np.isfinite(value):
                count[column] += 1.0
                deviation = value - mean[column]
                mean[column] += deviation / count[column]
                spread[column] += deviation * (value - mean[column])
    return mean, np.sqrt(spread / np.maximum(count, 1.0))


class Normaliser:
    """Normalises rows of features.

    For "zscore" `centre` is the mean and `scale` the standard deviation; for "minmax" the least value and the range;
    float64[F] each. `half_life_days` None freezes them. NaN becomes 0, the centre; a feature without spread too.

    >>> normaliser = Normaliser("zscore", np.array([10.0]), np.array([2.0]), half_life_days=None)
    >>> normaliser.advance(np.array([[14.0], [np.nan]]), np.array([0, 0])).tolist()
    [[2.0], [0.0]]
    """

    def __init__(
        self,
        kind: Literal["zscore", "minmax"],
        centre: npt.NDArray[np.float64],
        scale: npt.NDArray[np.float64],
        *,
        half_life_days: float | None,
    ) -> None:
        self._kind = kind
        self._half_life_days = half_life_days
        self._clock = np.zeros(1, dtype=np.int64)
        self._weight = np.full(len(centre), PRIOR_ROWS)
        if kind == "zscore":
            self._first = np.array(centre, dtype=np.float64)
            self._second = np.array(scale, dtype=np.float64) if half_life_days is None else scale**2 * PRIOR_ROWS
        else:
            self._first = np.array(centre, dtype=np.float64)
            self._second = np.array(scale, dtype=np.float64) if half_life_days is None else centre + scale
        self._changed = False

    def advance(
        self, features: npt.NDArray[np.float64], event_time_ns: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Return the rows normalised, float64[n, F], within plus and minus LIMIT; an adapting one takes them up."""
        features = np.ascontiguousarray(features)  # one layout, one compilation
        out = np.empty(features.shape)
        if self._half_life_days is None:
            _normalise(features, self._first, self._second, out)
            return out
        if self._kind == "zscore":
            _adapt_zscore(
                features, event_time_ns, self._clock, self._half_life_days, self._weight, self._first, self._second, out
            )
        else:
            _adapt_minmax(features, event_time_ns, self._clock, self._half_life_days, self._first, self._second, out)
        self._changed = self._changed or len(features) > 0
        _limit(out)
        return out

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the one packed row if an adapting normaliser took rows up since the last call."""
        changed, self._changed = self._changed, False
        return [(_KEY, self._packed())] if changed else []

    def dump(self) -> dict[bytes, bytes]:
        """Return the one packed row."""
        return {_KEY: self._packed()}

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a packed row; raises ValueError for one of another width."""
        for _, row in rows:
            width = len(self._first)
            if len(row) != 8 * (1 + 3 * width):
                raise ValueError(f"a packed normaliser has {len(row)} bytes, {8 * (1 + 3 * width)} are needed")
            self._clock = np.frombuffer(row[:8], dtype="<i8").copy()
            parts = np.frombuffer(row[8:], dtype="<f8").reshape(3, width)
            self._weight, self._first, self._second = (part.copy() for part in parts)

    def _packed(self) -> bytes:
        numbers = np.concatenate([self._weight, self._first, self._second])
        return self._clock.astype("<i8").tobytes() + numbers.astype("<f8").tobytes()
