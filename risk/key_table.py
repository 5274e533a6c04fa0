"""Which number a key has: numbers are given in the order in which keys first come.

A hash table with open addressing over the keys' bytes. A slot holds 32 bits of a key's hash and its number, so that a
key's own bytes are looked at about once in a search, and never when the table grows.

The hash has no secret: numbers do not depend on it, and the core knows no randomness. So whoever chooses keys freely
can choose them to collide, and make searches slow, but not wrong.
"""

import numpy as np
from numpy.typing import NDArray

from risk.array_loop import array_loop
from risk.byte_slices import BytesColumn, TextColumn, read_only
from risk.byte_words import WORD, is_same, word_at
from risk.growing_array import GrowingArray

_COUNT, _BYTES = range(2)
_LEAST_SLOTS = 64
_MOST_USED = 0.7
_FIRST = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53)
_U1, _U32, _U33 = np.uint64(1), np.uint64(32), np.uint64(33)
_NUMBER = np.uint64(0xFFFFFFFF)
"""The bits of a slot that are the key's number and 1; the others are its hash. An empty slot is 0."""


@array_loop
def _hash(data: NDArray[np.uint8], at: np.uint64, size: np.uint64) -> np.uint64:
    """Return 32 bits that depend on every byte: words are mixed in as MurmurHash3's finaliser mixes (Appleby 2011)."""
    hashed = _FIRST * (size + _U1)
    while size >= WORD:
        hashed = (hashed ^ word_at(data, at)) * _M1
        hashed ^= hashed >> _U33
        at += WORD
        size -= WORD
    if size > 0:
        rest = np.uint64(0)
        if at + WORD <= np.uint64(data.shape[0]):
            rest = word_at(data, at) << (np.uint64(64) - (size << np.uint64(3)))
        else:
            for i in range(size):
                rest |= np.uint64(data[at + np.uint64(i)]) << (np.uint64(64) - ((size - np.uint64(i)) << np.uint64(3)))
        hashed = (hashed ^ rest) * _M1
        hashed ^= hashed >> _U33
    hashed *= _M2
    return hashed >> _U32


@array_loop
def _find(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    first: int,
    most_keys: int,
    slots: NDArray[np.uint64],
    key_bytes: NDArray[np.uint8],
    key_ends: NDArray[np.int64],
    used: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> int:
    """Find keys from `first` on, and add those that are new; return which one there is no room for, n if none."""
    mask = np.uint64(slots.shape[0] - 1)
    for at in range(first, starts.shape[0]):
        start = np.uint64(starts[at])
        size = np.uint64(ends[at] - starts[at])
        hashed = _hash(data, start, size)
        place = hashed & mask
        row = np.int64(-1)
        while slots[place] != 0:
            if slots[place] >> _U32 == hashed:
                found = np.int64(slots[place] & _NUMBER) - 1
                key_start = np.uint64(key_ends[found - 1] if found > 0 else 0)
                if np.uint64(key_ends[found]) - key_start == size and is_same(data, start, key_bytes, key_start, size):
                    row = found
                    break
            place = (place + _U1) & mask
        if row < 0:
            row = used[_COUNT]
            key_start = np.uint64(used[_BYTES])
            if row >= most_keys or row >= key_ends.shape[0] or key_start + size > np.uint64(key_bytes.shape[0]):
                return at
            for i in range(size):
                key_bytes[key_start + np.uint64(i)] = data[start + np.uint64(i)]
            key_ends[row] = np.int64(key_start + size)
            used[_COUNT] = row + 1
            used[_BYTES] = key_ends[row]
            slots[place] = hashed << _U32 | np.uint64(row + 1)
        rows[at] = row
    return len(starts)


@array_loop
def _fill(old: NDArray[np.uint64], slots: NDArray[np.uint64]) -> None:
    """Put what is in the old slots into the new ones, which are empty."""
    mask = np.uint64(slots.shape[0] - 1)
    for at in range(old.shape[0]):
        if old[at] != 0:
            place = (old[at] >> _U32) & mask
            while slots[place] != 0:
                place = (place + _U1) & mask
            slots[place] = old[at]


class KeyTable:
    """Numbers of keys, which are byte strings: texts as UTF-8.

    >>> table = KeyTable()
    >>> table.find(TextColumn.of(["a", "b", "a"])).tolist(), table.find(TextColumn.of(["", "b"])).tolist()
    ([0, 1, 0], [2, 1])
    >>> list(table.keys(np.array([1, 0])))
    [b'b', b'a']
    """

    def __init__(self) -> None:
        # No key fits: the first one makes the table grow, so that all loops are compiled by the time there is a state.
        self._slots = np.zeros(1, dtype=np.uint64)
        self._bytes = GrowingArray(np.dtype(np.uint8), 1024)
        self._ends = GrowingArray(np.dtype(np.int64))
        self._used = np.zeros(2, dtype=np.int64)

    def __len__(self) -> int:
        return int(self._used[_COUNT])

    def find(self, keys: TextColumn | BytesColumn) -> NDArray[np.int64]:
        """Return the number of each key, int64[n]; a key that is new gets the next."""
        rows = np.empty(len(keys.starts), dtype=np.int64)
        data = read_only(keys.data)
        done = 0
        while True:
            most_keys = int(len(self._slots) * _MOST_USED)
            done = _find(
                data,
                keys.starts,
                keys.ends,
                done,
                most_keys,
                self._slots,
                self._bytes.array,
                self._ends.array,
                self._used,
                rows,
            )
            if done == len(rows):
                return rows
            count, size = self._used.tolist()
            if count >= most_keys:
                slots = np.zeros(max(2 * len(self._slots), _LEAST_SLOTS), dtype=np.uint64)
                _fill(self._slots, slots)
                self._slots = slots
            self._ends.reserve(count + 1)
            self._bytes.reserve(size + int(keys.ends[done] - keys.starts[done]))

    def keys(self, rows: NDArray[np.int64]) -> BytesColumn:
        """Return the keys that have some numbers."""
        ends = self._ends.array
        keys = BytesColumn(self._bytes.array, np.where(rows > 0, ends[rows - 1], 0), ends[rows])
        return keys.compact()
