"""The last joint vectors of residuals: what happened to many symbols in the same bars."""

import math
from collections.abc import Iterable

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

VECTORS = 500
"""How many of the last joint vectors are kept."""


class JointVectors:
    """The last vectors, with a place for each symbol; `count` is how many there have ever been.

    >>> vectors = JointVectors()
    >>> vectors.add(np.array([1.0, np.nan]))
    >>> vectors.since(0, np.array([1, 0])).tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, most: int = VECTORS) -> None:
        self._ring: NDArray[np.float64] = np.full((most, 16), np.nan)
        # How many places a vector had when it came: what is packed must not depend on when it is.
        self._widths = [0] * most
        self.count = 0
        self._changed: set[int] = set()

    def _grow(self, width: int) -> None:
        if width > self._ring.shape[1]:
            ring = np.full((len(self._ring), 1 << (width - 1).bit_length()), np.nan)
            ring[:, : self._ring.shape[1]] = self._ring
            self._ring = ring

    def _put(self, at: int, vector: NDArray[np.float64]) -> None:
        self._grow(len(vector))
        self._ring[at, : len(vector)] = vector
        self._ring[at, len(vector) :] = np.nan
        self._widths[at] = len(vector)

    def add(self, vector: NDArray[np.float64]) -> None:
        """Add a vector, of any length, with NaN for a symbol that is missing."""
        at = self.count % len(self._ring)
        self._put(at, vector)
        self.count += 1
        self._changed.add(at)

    def since(self, number: int, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return some places of the vectors from a number on, float64[s, n], oldest first, with 0 for what is missing.

        Vectors in which all of these places are missing are left out.
        """
        if len(places):
            self._grow(int(places.max()) + 1)
        first = max(number, self.count - len(self._ring), 0)
        return np.asarray(_gather(self._ring, first, self.count, places))

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return (place in the ring, packed vector) of the vectors that came since the last call."""
        changed = sorted(self._changed)
        self._changed.clear()
        return [self._packed(at) for at in changed]

    def dump(self) -> dict[bytes, bytes]:
        """Return every packed vector: equal states give equal dumps."""
        return dict(self._packed(at) for at in range(min(self.count, len(self._ring))))

    def _packed(self, at: int) -> tuple[bytes, bytes]:
        number = at + (self.count - 1 - at) // len(self._ring) * len(self._ring)
        return b"%d" % at, msgspec.msgpack.encode((number, self._ring[at, : self._widths[at]].tobytes()))

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed vectors in an empty state; raises msgspec.DecodeError for a row of another form."""
        for key, row in rows:
            number, values = msgspec.msgpack.decode(row, type=tuple[int, bytes])
            self._put(int(key), np.frombuffer(values, dtype="<f8"))
            self.count = max(self.count, number + 1)


@njit(cache=True)
def _gather(ring: NDArray[np.float64], first: int, end: int, slots: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the vectors from number `first` to `end` in which any of the slots has a value, with 0 for none."""
    found = np.zeros((end - first, len(slots)))
    count = 0
    for number in range(first, end):
        vector = ring[number % len(ring)]
        any_moved = False
        for at in range(len(slots)):
            value = vector[slots[at]]
            here = not math.isnan(value)
            any_moved |= here
            found[count, at] = value if here else 0.0
        if any_moved:
            count += 1
    return found[:count]
