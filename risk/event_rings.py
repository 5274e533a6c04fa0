"""Rings of recent events, one for each row, in arrays that all rows share.

An entry is a time, a value, and how many events it stands for. While a row has at most `MAX_ENTRIES` events inside its
horizon every event has an entry of its own, and windows over them are exact. Beyond that, neighbouring entries are
merged in pairs: the newer time stays, values and numbers of events are added. So a ring's memory is bounded, a window's
total is exact but for the one merged entry at its edge, and a merge depends on the row's own events alone (the idea of
the exponential histogram: Datar, Gionis, Indyk and Motwani 2002, "Maintaining stream statistics over sliding windows").
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

MAX_ENTRIES = 1024
_LEAST_CAPACITY = 4


class RingArrays(NamedTuple):
    """The arrays, as the compiled loops take them.

    `time_ns`, `value` and `events` hold entries; row r owns `capacity[r]` (a power of two) of them from `start[r]`, and
    its `length[r]` entries begin at `head[r]`, oldest first.
    """

    time_ns: NDArray[np.int64]
    value: NDArray[np.int64]
    events: NDArray[np.int64]
    start: NDArray[np.int64]
    capacity: NDArray[np.int64]
    head: NDArray[np.int64]
    length: NDArray[np.int64]


@njit(cache=True)
def entry_at(ring: RingArrays, row: int, number: int) -> int:
    """Return where a row's entry lies in the arrays; 0 is the oldest."""
    at: int = ring.start[row] + ((ring.head[row] + number) & (ring.capacity[row] - 1))
    return at


@njit(cache=True)
def drop_until(ring: RingArrays, row: int, time_ns: int) -> None:
    """Drop the oldest entries of a row whose times are at or before `time_ns`."""
    while ring.length[row] > 0 and ring.time_ns[entry_at(ring, row, 0)] <= time_ns:
        ring.head[row] = (ring.head[row] + 1) & (ring.capacity[row] - 1)
        ring.length[row] -= 1


@njit(cache=True)
def push(ring: RingArrays, row: int, time_ns: int, value: int) -> None:
    """Append an event to a row that has room for it; a full ring is halved first."""
    if ring.length[row] == MAX_ENTRIES:
        for pair in range(MAX_ENTRIES // 2):
            older = entry_at(ring, row, 2 * pair)
            newer = entry_at(ring, row, 2 * pair + 1)
            to = entry_at(ring, row, pair)
            total = ring.value[older] + ring.value[newer]
            events = ring.events[older] + ring.events[newer]
            ring.time_ns[to] = ring.time_ns[newer]
            ring.value[to] = total
            ring.events[to] = events
        ring.length[row] = MAX_ENTRIES // 2
    to = entry_at(ring, row, ring.length[row])
    ring.time_ns[to] = time_ns
    ring.value[to] = value
    ring.events[to] = 1
    ring.length[row] += 1


@njit(cache=True)
def _move(old: RingArrays, rows: NDArray[np.int64], start: NDArray[np.int64], capacity: NDArray[np.int64]) -> None:
    for at in range(rows.shape[0]):
        row = rows[at]
        for number in range(old.length[row]):
            source = entry_at(old, row, number)
            to = start[at] + number
            old.time_ns[to] = old.time_ns[source]
            old.value[to] = old.value[source]
            old.events[to] = old.events[source]
        old.start[row] = start[at]
        old.capacity[row] = capacity[at]
        old.head[row] = 0


@njit(cache=True)
def _gather(ring: RingArrays, rows: NDArray[np.int64], entries: NDArray[np.int64]) -> None:
    at = 0
    for row in rows:
        for number in range(ring.length[row]):
            source = entry_at(ring, row, number)
            entries[at, 0] = ring.time_ns[source]
            entries[at, 1] = ring.value[source]
            entries[at, 2] = ring.events[source]
            at += 1


@njit(cache=True)
def _scatter(ring: RingArrays, rows: NDArray[np.int64], lengths: NDArray[np.int64], entries: NDArray[np.int64]) -> None:
    at = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        ring.head[row] = 0
        ring.length[row] = lengths[i]
        for number in range(lengths[i]):
            to = ring.start[row] + number
            ring.time_ns[to] = entries[at, 0]
            ring.value[to] = entries[at, 1]
            ring.events[to] = entries[at, 2]
            at += 1


class EventRings:
    """The rings of all rows. Slabs grow by doubling; a slab that was outgrown serves another row."""

    def __init__(self) -> None:
        self._rows = np.zeros((4, 64), dtype=np.int64)
        self._entries = np.zeros((3, 1024), dtype=np.int64)
        self._top = 0
        self._free: defaultdict[int, list[int]] = defaultdict(list)

    @property
    def arrays(self) -> RingArrays:
        """The arrays as they are now; `reserve` and `grow_rows` make new ones."""
        return RingArrays(*self._entries, *self._rows)

    def grow_rows(self, count: int) -> None:
        """Have room for `count` rows."""
        if count > self._rows.shape[1]:
            self._rows = _grown(self._rows, count)

    def reserve(self, rows: NDArray[np.int64], least: NDArray[np.int64]) -> None:
        """Give each row (each named once) room for `least` entries, or MAX_ENTRIES where that is fewer."""
        least = np.minimum(least, MAX_ENTRIES)
        short = least > self._rows[1][rows]
        if not short.any():
            return
        rows, least = rows[short], np.maximum(least[short], _LEAST_CAPACITY)
        capacity = (1 << np.ceil(np.log2(least)).astype(np.int64)).astype(np.int64)
        start = np.empty(len(rows), dtype=np.int64)
        for size in np.unique(capacity).tolist():
            wanting = np.flatnonzero(capacity == size)
            free = self._free[size]
            reused = min(len(free), len(wanting))
            if reused:
                start[wanting[:reused]] = free[-reused:]
                del free[-reused:]
            fresh = wanting[reused:]
            start[fresh] = self._top + size * np.arange(len(fresh))
            self._top += size * len(fresh)
        if self._top > self._entries.shape[1]:
            self._entries = _grown(self._entries, self._top)
        outgrown, sizes = self._rows[0][rows], self._rows[1][rows]
        _move(self.arrays, rows, start, capacity)
        for at, size in zip(outgrown.tolist(), sizes.tolist(), strict=True):
            if size:
                self._free[size].append(at)

    def reserve_for(self, rows: NDArray[np.int64]) -> None:
        """Give each row room for as many more entries as it is named."""
        named, times = np.unique(rows, return_counts=True)
        self.reserve(named, self._rows[3][named] + times)

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many entries each row has, int64[n]."""
        lengths: NDArray[np.int64] = self._rows[3][rows]
        return lengths

    def entries(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows' entries, one row after another, oldest first: int64[total, 3] of time, value, events."""
        entries = np.empty((int(self.lengths(rows).sum()), 3), dtype=np.int64)
        _gather(self.arrays, rows, entries)
        return entries

    def put(self, rows: NDArray[np.int64], lengths: NDArray[np.int64], entries: NDArray[np.int64]) -> None:
        """Replace the rows' entries (each row named once) by what `entries` gave."""
        self.reserve(rows, lengths)
        _scatter(self.arrays, rows, lengths, entries)


def _grown(arrays: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    size = arrays.shape[1]
    while size < least:
        size *= 2
    grown = np.zeros((arrays.shape[0], size), dtype=np.int64)
    grown[:, : arrays.shape[1]] = arrays
    return grown
