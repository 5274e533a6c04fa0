"""An order in which rows of one key lie close together, so that the states of their keys stay in the processor's cache.

Steps keep a row of state for each key, and what a row of input brings about depends on the earlier rows of its own key
alone (a law of `tests/laws`). So groups of keys may be taken one after another: the features are the same, bit for bit.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

from risk.byte_slices import TextColumn

GROUPS = 64
"""How many groups the keys fall into: the states of one of 64 fit a cache while there are some ten thousand keys, and
columns are written to no more places at once than a processor can follow."""

_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)

_Number = TypeVar("_Number", bound=np.generic)


@njit(cache=True)
def _places(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], groups: int
) -> npt.NDArray[np.int64]:
    group = np.empty(starts.shape[0], dtype=np.int64)
    following = np.zeros(groups + 1, dtype=np.int64)
    for row in range(starts.shape[0]):
        # FNV-1a (Fowler, Noll and Vo); the high half is folded in, for groups are told apart by low bits.
        hashed = _BASIS
        for place in range(starts[row], ends[row]):
            hashed = (hashed ^ np.uint64(data[place])) * _PRIME
        group[row] = np.int64((hashed ^ (hashed >> np.uint64(32))) % np.uint64(groups))
        following[group[row] + 1] += 1
    for at in range(groups):
        following[at + 1] += following[at]
    for row in range(starts.shape[0]):
        place = following[group[row]]
        following[group[row]] += 1
        group[row] = place
    return group


@njit(cache=True)
def _put(values: npt.NDArray[Any], places: npt.NDArray[np.int64], arranged: npt.NDArray[Any]) -> None:
    # Not a gather: values are read one after another, and written to GROUPS places that go on one after another.
    for row in range(places.shape[0]):
        arranged[places[row]] = values[row]


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """Where each row goes, int64[n], so that keys of one group lie together and rows of one key stay in their order.

    >>> order = KeyOrder.of(TextColumn.of(["ann", "bob", "ann"]))
    >>> list(order.arrange_texts(TextColumn.of(["first", "only", "second"]))) in (
    ...     ["first", "second", "only"], ["only", "first", "second"]
    ... )
    True
    """

    places: npt.NDArray[np.int64]

    @classmethod
    def of(cls, keys: TextColumn) -> "KeyOrder":
        """Return the order for rows of these keys."""
        return cls(_places(keys.data, keys.starts, keys.ends, GROUPS))

    def arrange(self, values: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
        """Return a column of the rows, [n] of any type, in this order."""
        arranged = np.empty_like(values)
        _put(values, self.places, arranged)
        return arranged

    def arrange_texts(self, texts: TextColumn) -> TextColumn:
        """Return a column of texts in this order."""
        return TextColumn(texts.data, self.arrange(texts.starts), self.arrange(texts.ends))
