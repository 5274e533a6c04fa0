"""Rings of recent events, one for each row, in arrays that all rows share.

An entry is a time, a value, and how many events it stands for. While a row has at most `MAX_ENTRIES` events inside its
horizon every event has an entry of its own, and windows over them are exact. Beyond that, neighbouring entries are
merged in pairs: the newer time stays, values and numbers of events are added. So a ring's memory is bounded, a window's
total is exact but for the one merged entry at its edge, and a merge depends on the row's own events alone (the idea of
the exponential histogram: Datar, Gionis, Indyk and Motwani 2002, "Maintaining stream statistics over sliding windows").
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from risk.array_loop import array_loop
from risk.byte_slices import read_only
from risk.byte_words import put_word, word_at
from risk.growing_array import GrowingArray

MAX_ENTRIES = 1024
ENTRY_BYTES = 24
"""A stored entry: time, value and events as int64, little-endian."""

# What is used together lies together: arrays of their own would cost a row a miss of the cache each.
_ENTRY = np.dtype([("time_ns", "<i8"), ("value", "<i8"), ("events", "<i8")])
_PLACE = np.dtype([("start", "<i8"), ("capacity", "<i2"), ("head", "<i2"), ("length", "<i4")])
_SIZES = MAX_ENTRIES.bit_length()
_FIRST, _FREE, _PROMISED, _TOP = range(4)
"""The rows of what is known of slabs, int64[4, _SIZES]: for each size (as the power of two) where the first free one
lies, how many are free, and how many of them were promised; and, in the first column, how many entries were given out.
"""


class RingArrays(NamedTuple):
    """The arrays, as the compiled loops take them.

    `time_ns`, `value` and `events` hold entries; row r owns `capacity[r]` (a power of two, or 0) of them from
    `start[r]`, and its `length[r]` entries begin at `head[r]`, oldest first.
    """

    time_ns: NDArray[np.int64]
    value: NDArray[np.int64]
    events: NDArray[np.int64]
    start: NDArray[np.int64]
    capacity: NDArray[np.int16]
    head: NDArray[np.int16]
    length: NDArray[np.int32]


@array_loop
def entry_at(ring: RingArrays, row: int, number: int) -> int:
    """Return where a row's entry lies in the arrays; 0 is the oldest."""
    at: int = ring.start[row] + ((ring.head[row] + number) & (ring.capacity[row] - 1))
    return at


@array_loop
def drop_until(ring: RingArrays, row: int, time_ns: int) -> None:
    """Drop the oldest entries of a row whose times are at or before `time_ns`."""
    while ring.length[row] > 0 and ring.time_ns[entry_at(ring, row, 0)] <= time_ns:
        ring.head[row] = (ring.head[row] + 1) & (ring.capacity[row] - 1)
        ring.length[row] -= 1


@array_loop
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


@array_loop
def _size_for(entries: int) -> int:
    """Return the size, as the power of two, of the least slab that holds so many entries."""
    size = 0
    while 1 << size < entries:
        size += 1
    return size


@array_loop
def _ask(
    ring: RingArrays,
    rows: NDArray[np.int64],
    least: NDArray[np.int64],
    free: NDArray[np.int64],
    claims: NDArray[np.int64],
) -> tuple[int, int]:
    """Note which rows need another slab: `claims` int64[3, n] are row, new and old capacity.

    Return how many they are, and the greatest number of entries that there may then be.
    """
    count = 0
    top = free[_TOP, 0]
    free[_PROMISED, :] = 0
    for at in range(rows.shape[0]):
        row = rows[at]
        wanted = min(least[at], MAX_ENTRIES)
        if wanted > ring.capacity[row]:
            size = _size_for(wanted)
            capacity = 1 << size
            claims[0, count] = row
            claims[1, count] = capacity
            claims[2, count] = ring.capacity[row]
            count += 1
            if free[_PROMISED, size] < free[_FREE, size]:
                free[_PROMISED, size] += 1
            else:
                top += capacity
            # So a row that is named again asks but once.
            ring.capacity[row] = capacity
    return count, top


@array_loop
def _ask_for(
    ring: RingArrays, rows: NDArray[np.int64], free: NDArray[np.int64], claims: NDArray[np.int64]
) -> tuple[int, int]:
    """Note which rows need another slab for as many more entries as they are named; see `_ask`."""
    for at in range(rows.shape[0]):
        ring.length[rows[at]] += 1
    for at in range(rows.shape[0]):
        claims[3, at] = ring.length[rows[at]]
        ring.length[rows[at]] -= 1
    return _ask(ring, rows, claims[3], free, claims)


@array_loop
def _settle(ring: RingArrays, claims: NDArray[np.int64], count: int, free: NDArray[np.int64]) -> None:
    """Give each row the slab it asked for, move its entries there, and keep the old one for others.

    The time at the start of a free slab is where the next free one of its size lies.
    """
    for at in range(count):
        row, capacity, old_capacity = claims[0, at], claims[1, at], claims[2, at]
        size = _size_for(capacity)
        if free[_FREE, size] > 0:
            start = free[_FIRST, size]
            free[_FIRST, size] = ring.time_ns[start]
            free[_FREE, size] -= 1
        else:
            start = free[_TOP, 0]
            free[_TOP, 0] = start + capacity
        old_start = ring.start[row]
        for number in range(ring.length[row]):
            source = old_start + ((ring.head[row] + number) & (old_capacity - 1))
            to = start + number
            ring.time_ns[to] = ring.time_ns[source]
            ring.value[to] = ring.value[source]
            ring.events[to] = ring.events[source]
        if old_capacity > 0:
            size = _size_for(old_capacity)
            ring.time_ns[old_start] = free[_FIRST, size]
            free[_FIRST, size] = old_start
            free[_FREE, size] += 1
        ring.start[row] = start
        ring.head[row] = 0


@array_loop
def _gather(ring: RingArrays, rows: NDArray[np.int64], at: NDArray[np.int64], data: NDArray[np.uint8]) -> None:
    for i in range(rows.shape[0]):
        row = rows[i]
        place = np.uint64(at[i])
        for number in range(ring.length[row]):
            source = entry_at(ring, row, number)
            put_word(data, place, np.uint64(ring.time_ns[source]))
            put_word(data, place + np.uint64(8), np.uint64(ring.value[source]))
            put_word(data, place + np.uint64(16), np.uint64(ring.events[source]))
            place += np.uint64(ENTRY_BYTES)


@array_loop
def _scatter(
    ring: RingArrays,
    rows: NDArray[np.int64],
    lengths: NDArray[np.int64],
    at: NDArray[np.int64],
    data: NDArray[np.uint8],
) -> None:
    for i in range(rows.shape[0]):
        row = rows[i]
        ring.head[row] = 0
        ring.length[row] = lengths[i]
        place = np.uint64(at[i])
        for number in range(lengths[i]):
            to = ring.start[row] + number
            ring.time_ns[to] = np.int64(word_at(data, place))
            ring.value[to] = np.int64(word_at(data, place + np.uint64(8)))
            ring.events[to] = np.int64(word_at(data, place + np.uint64(16)))
            place += np.uint64(ENTRY_BYTES)


class EventRings:
    """The rings of all rows. A row's slab doubles when it is full; one that was outgrown serves another row."""

    def __init__(self) -> None:
        self._entries = GrowingArray(_ENTRY, 1024)
        self._places = GrowingArray(_PLACE)
        self._free = np.zeros((4, _SIZES), dtype=np.int64)
        self._arrays: RingArrays | None = None

    @property
    def arrays(self) -> RingArrays:
        """The arrays as they are now; `reserve` and `grow_rows` make new ones."""
        if self._arrays is None:
            entries, places = self._entries.array, self._places.array
            self._arrays = RingArrays(
                time_ns=entries["time_ns"],
                value=entries["value"],
                events=entries["events"],
                start=places["start"],
                capacity=places["capacity"],
                head=places["head"],
                length=places["length"],
            )
        return self._arrays

    def grow_rows(self, count: int) -> None:
        """Have room for `count` rows."""
        if count > len(self._places.array):
            # Views of an array would keep it from growing in place.
            self._arrays = None
            self._places.reserve(count)

    def reserve(self, rows: NDArray[np.int64], least: NDArray[np.int64]) -> None:
        """Give each row room for `least` entries, or MAX_ENTRIES where that is fewer."""
        claims = np.empty((3, len(rows)), dtype=np.int64)
        count, top = _ask(self.arrays, rows, least, self._free, claims)
        self._give(claims, count, top)

    def reserve_for(self, rows: NDArray[np.int64]) -> None:
        """Give each row room for as many more entries as it is named."""
        claims = np.empty((4, len(rows)), dtype=np.int64)
        count, top = _ask_for(self.arrays, rows, self._free, claims)
        self._give(claims, count, top)

    def _give(self, claims: NDArray[np.int64], count: int, top: int) -> None:
        if not count:
            return
        if top > len(self._entries.array):
            self._arrays = None
            self._entries.reserve(top)
        _settle(self.arrays, claims, count, self._free)

    def lengths(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many entries each row has, int64[n]."""
        return self._places.array["length"][rows].astype(np.int64)

    def write(self, rows: NDArray[np.int64], at: NDArray[np.int64], data: NDArray[np.uint8]) -> None:
        """Write the rows' entries, oldest first, to where each row's place `at` int64[n] is in `data`."""
        _gather(self.arrays, rows, at, data)

    def read(
        self, rows: NDArray[np.int64], lengths: NDArray[np.int64], at: NDArray[np.int64], data: NDArray[np.uint8]
    ) -> None:
        """Replace the rows' entries (each row named once) by `lengths` entries each, as `write` wrote them."""
        self.reserve(rows, lengths)
        _scatter(self.arrays, rows, lengths, at, data)

    def entries(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows' entries, one row after another, oldest first: int64[total, 3] of time, value, events."""
        ends = np.cumsum(self.lengths(rows))
        entries = np.empty((int(ends[-1]) if len(ends) else 0, 3), dtype=np.int64)
        self.write(rows, ENTRY_BYTES * (ends - self.lengths(rows)), entries.view(np.uint8).reshape(-1))
        return entries

    def put(self, rows: NDArray[np.int64], lengths: NDArray[np.int64], entries: NDArray[np.int64]) -> None:
        """Replace the rows' entries (each row named once) by what `entries` gave."""
        data = read_only(np.ascontiguousarray(entries).view(np.uint8).reshape(-1))
        self.read(rows, lengths, ENTRY_BYTES * (np.cumsum(lengths) - lengths), data)
