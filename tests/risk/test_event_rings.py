from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.event_rings import MAX_ENTRIES, EventRings, drop_until, entry_at, push

Entry = list[int]
"""Time, value, and the number of events."""


def entries_of(rings: EventRings, row: int) -> list[Entry]:
    """Return a row's entries, oldest first."""
    entries: list[Entry] = rings.entries(np.array([row])).tolist()
    return entries


def append(rings: EventRings, row: int, events: list[tuple[int, int]]) -> None:
    """Make room for events of (time, value), and push them."""
    rings.reserve_for(np.full(len(events), row))
    arrays = rings.arrays
    for time_ns, value in events:
        push(arrays, row, time_ns, value)


@dataclass
class Twin:
    """The same rings as lists."""

    rows: dict[int, list[Entry]] = field(default_factory=dict)

    def push(self, row: int, time_ns: int, value: int) -> None:
        entries = self.rows[row]
        if len(entries) == MAX_ENTRIES:
            pairs = zip(entries[::2], entries[1::2], strict=True)
            entries[:] = [[newer[0], older[1] + newer[1], older[2] + newer[2]] for older, newer in pairs]
        entries.append([time_ns, value, 1])

    def drop_until(self, row: int, time_ns: int) -> None:
        self.rows[row][:] = [one for one in self.rows[row] if one[0] > time_ns]


operations = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.lists(st.integers(0, 2), min_size=1, max_size=40), st.integers(0, 5)),
        st.tuples(st.just("drop"), st.integers(0, 2), st.integers(0, 60)),
        st.tuples(st.just("again"), st.integers(0, 2), st.none()),
    ),
    max_size=25,
)


@given(operations)
def test_rings_are_those_of_lists(drawn: list[tuple[str, int | list[int], int]]) -> None:
    """However pushes, drops and repacking of three rows follow one another, each row has what its list has."""
    rings, twin = EventRings(), Twin({row: [] for row in range(3)})
    rings.grow_rows(3)
    time_ns = 0
    for what, rows, number in drawn:
        if isinstance(rows, list):
            rings.reserve_for(np.array(rows))
            arrays = rings.arrays
            for row in rows:
                time_ns += number
                push(arrays, row, time_ns, time_ns % 7 - 3)
                twin.push(row, time_ns, time_ns % 7 - 3)
        elif what == "drop":
            drop_until(rings.arrays, rows, time_ns - number)
            twin.drop_until(rows, time_ns - number)
        else:
            # Packed and unpacked, a row is the same.
            one = np.array([rows])
            rings.put(one, rings.lengths(one), rings.entries(one))
        assert rings.lengths(np.arange(3)).tolist() == [len(twin.rows[row]) for row in range(3)]
        assert rings.entries(np.arange(3)).tolist() == [entry for row in range(3) for entry in twin.rows[row]]


def test_a_ring_that_wrapped_around_grows_and_is_replaced() -> None:
    """Entries keep their order when a ring whose oldest entry lies amid its places grows or is put anew."""
    rings = EventRings()
    append(rings, 0, [(at, at) for at in range(4)])
    drop_until(rings.arrays, 0, 1)
    append(rings, 0, [(at, at) for at in range(4, 6)])
    assert rings.arrays.capacity[0] == 4
    rings.put(np.array([0]), np.array([4]), rings.entries(np.array([0])))
    assert entries_of(rings, 0) == [[at, at, 1] for at in range(2, 6)]
    drop_until(rings.arrays, 0, 3)
    append(rings, 0, [(at, at) for at in range(6, 10)])
    assert rings.arrays.capacity[0] == 8
    assert entries_of(rings, 0) == [[at, at, 1] for at in range(4, 10)]


def history_of(seed: int, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return times that never fall, many of them equal, and values."""
    draw = np.random.default_rng(seed)
    times = 1_000 + np.cumsum(draw.choice([0, 0, 1, 5, 400], count))
    return times, draw.integers(0, 10**13, count)


@given(st.integers(0, 2**32 - 1), st.integers(1, MAX_ENTRIES))
@settings(max_examples=20)
def test_every_event_has_its_own_entry_while_there_is_room(seed: int, count: int) -> None:
    """Up to 1,024 events within the horizon nothing is merged, however many there were before."""
    times, values = history_of(seed, count)
    rings = EventRings()
    append(rings, 0, [(at, 1) for at in range(900)])
    drop_until(rings.arrays, 0, 900)
    append(rings, 0, list(zip(times.tolist(), values.tolist(), strict=True)))
    assert entries_of(rings, 0) == [[*one, 1] for one in zip(times.tolist(), values.tolist(), strict=True)]


@given(st.integers(0, 2**32 - 1), st.integers(MAX_ENTRIES + 1, 6 * MAX_ENTRIES))
@settings(max_examples=20)
def test_beyond_that_a_window_is_exact_but_for_its_edge(seed: int, count: int) -> None:
    """Sum and number over any window differ from the truth by no more than the one entry at its edge may hold."""
    times, values = history_of(seed, count)
    rings = EventRings()
    append(rings, 0, list(zip(times.tolist(), values.tolist(), strict=True)))
    entries = np.array(entries_of(rings, 0))
    assert len(entries) <= MAX_ENTRIES
    assert entries[:, 1:].sum(axis=0).tolist() == [values.sum(), count]
    assert np.all(np.diff(entries[:, 0]) >= 0)
    # Entries are consecutive runs of events, each named by its newest time.
    last = np.cumsum(entries[:, 2]) - 1
    assert np.array_equal(entries[:, 0], times[last])
    for after in np.random.default_rng(seed).choice(times, 20).tolist():
        inside = entries[entries[:, 0] > after]
        for column, truth in ((1, values[times > after].sum()), (2, np.count_nonzero(times > after))):
            excess = inside[:, column].sum() - truth
            assert 0 <= excess <= (inside[0, column] if len(inside) else 0)


def test_a_full_ring_is_halved_by_pairs() -> None:
    """The event after the 1,024th merges neighbours: the newer time stays, values and numbers are added."""
    rings = EventRings()
    append(rings, 0, [(at, at) for at in range(MAX_ENTRIES)])
    append(rings, 0, [(MAX_ENTRIES, MAX_ENTRIES)])
    entries = entries_of(rings, 0)
    assert entries == [[2 * at + 1, 4 * at + 1, 2] for at in range(MAX_ENTRIES // 2)] + [[MAX_ENTRIES, MAX_ENTRIES, 1]]


def test_a_merge_depends_on_the_row_alone() -> None:
    """A row's entries are the same whether its events came alone, or in other portions among those of other rows."""
    alone, among = EventRings(), EventRings()
    events = [(at, at % 11) for at in range(5_000)]
    append(alone, 0, events)
    for at in range(0, 5_000, 617):
        append(among, 3, [(one, 1) for one in range(at // 7 + 1)])
        append(among, 1, events[at : at + 617])
        append(among, 2, [(at, 2)])
    assert entries_of(among, 1) == entries_of(alone, 0)


def test_memory_is_bounded() -> None:
    """However many events come, a row has at most 1,024 places, and those that it outgrew serve other rows."""
    rings = EventRings()
    rings.grow_rows(8)
    for at in range(300):
        append(rings, 0, [(at, 1)] * 70)
        assert rings.arrays.capacity[0] <= MAX_ENTRIES
    # 128 + 256 + 512 + 1,024 places were had in turn, which is where the arrays stop growing.
    size = len(rings.arrays.time_ns)
    assert size == 1_920
    for row, count in ((1, 512), (2, 256), (3, 128)):
        append(rings, row, [(0, row)] * count)
    assert len(rings.arrays.time_ns) == size
    assert [sum(one[2] for one in entries_of(rings, row)) for row in range(4)] == [21_000, 512, 256, 128]


def test_rows_do_not_share_places() -> None:
    """The places of two hundred rows that grew in turn do not overlap."""
    rings = EventRings()
    rings.grow_rows(200)
    draw = np.random.default_rng(5)
    for _ in range(60):
        rings.reserve_for(draw.integers(0, 200, 50))
        for row in range(200):
            while rings.arrays.length[row] < rings.arrays.capacity[row]:
                push(rings.arrays, row, 1, row)
    arrays = rings.arrays
    places = [entry_at(arrays, row, at) for row in range(200) for at in range(arrays.length[row])]
    assert len(places) > 1_000
    assert len(places) == len(set(places))
    assert all({one[1] for one in entries_of(rings, row)} <= {row} for row in range(200))


def test_packed_entries_move_to_other_rows() -> None:
    """What `entries` gave can be put into rows of other rings, in place of what they had."""
    rings, other = EventRings(), EventRings()
    for row, count in ((0, 3), (1, 0), (2, 2_000), (3, 7)):
        append(rings, row, [(at, row) for at in range(count)])
    rows = np.arange(4)
    append(other, 5, [(1, 1)] * 20)
    to = np.array([7, 5, 0, 6])
    other.put(to, rings.lengths(rows), rings.entries(rows))
    assert np.array_equal(other.lengths(to), rings.lengths(rows))
    assert np.array_equal(other.entries(to), rings.entries(rows))
    append(rings, 2, [(2_000, 9)] * 600)
    append(other, 0, [(2_000, 9)] * 600)
    assert entries_of(other, 0) == entries_of(rings, 2)


@pytest.mark.parametrize("rows", [1, 64, 65, 1_000])
def test_rows_are_empty_at_first(rows: int) -> None:
    """New rows have no entries, and rows that are there keep theirs."""
    rings = EventRings()
    append(rings, 0, [(1, 2)])
    rings.grow_rows(rows)
    assert rings.lengths(np.arange(rows)).tolist() == [1] + [0] * (rows - 1)
    assert entries_of(rings, 0) == [[1, 2, 1]]
