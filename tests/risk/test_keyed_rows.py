import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.event_rings import MAX_ENTRIES, push
from risk.keyed_rows import KeyedRows

FORM = np.dtype([("count", "<i8"), ("means", "<f8", (2,))])

keys = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), max_size=20)


def take(state: KeyedRows, named: list[str]) -> None:
    """Take up one event for each key, in the row's numbers and in each of its rings."""
    rows = state.rows(named)
    for ring in state.rings:
        ring.reserve_for(rows)
    for row in rows.tolist():
        state.table["count"][row] += 1
        state.table["means"][row] += (0.5, -0.25)
        for number, ring in enumerate(state.rings):
            # The second ring takes every other event, so that the two differ in length.
            if state.table["count"][row] % (number + 1) == 0:
                push(ring.arrays, row, int(state.table["count"][row]), 10 * number + row)


def plain(named: list[str], rings: int) -> dict[bytes, bytes]:
    """Return every packed row, put together by hand."""
    order = list(dict.fromkeys(named))
    packed = {}
    for row, key in enumerate(order):
        count = named.count(key)
        entries = [
            [(at, 10 * number + row, 1) for at in range(1, count + 1) if at % (number + 1) == 0]
            for number in range(rings)
        ]
        packed[key.encode()] = (
            struct.pack("<qdd", count, 0.5 * count, -0.25 * count)
            + b"".join(struct.pack("<q", len(one)) for one in entries)
            + b"".join(struct.pack("<qqq", *entry) for one in entries for entry in one)
        )
    return packed


def test_a_key_keeps_its_row() -> None:
    """New keys get the next row, of zeros; known keys get theirs, in any order and as often as they are named."""
    state = KeyedRows(FORM, rings=1)
    assert state.rows(["a", "b", "a"]).tolist() == [0, 1, 0]
    assert state.rows(["c", "a", ""]).tolist() == [2, 0, 3]
    assert state.rows([]).tolist() == []
    assert len(state) == 4
    assert not state.table["count"].any()
    assert not state.table["means"].any()
    assert state.rings[0].lengths(np.arange(4)).tolist() == [0] * 4


@pytest.mark.parametrize("count", [1, 64, 65, 129, 5_000])
def test_growing_keeps_what_was_there(count: int) -> None:
    """However many keys come at once, the rows from before keep their numbers, their rings and their marks."""
    state = KeyedRows(FORM, rings=2)
    take(state, ["a", "b", "a"])
    state.take_changed()
    take(state, ["b"])
    before = state.dump()
    rows = state.rows([f"key-{at}" for at in range(count)])
    assert rows.tolist() == list(range(2, count + 2))
    assert len(state) == count + 2 <= len(state.table)
    dump = state.dump()
    assert {key: dump[key] for key in before} == before
    assert [key for key, _ in state.take_changed()] == [b"b", *(b"key-%d" % at for at in range(count))]
    take(state, [f"key-{count - 1}"])
    assert state.table["count"][count + 1] == 1


@given(keys, st.integers(0, 2))
def test_a_packed_row_is_the_row_and_then_its_rings(named: list[str], rings: int) -> None:
    """A packed row is the numbers, the lengths of the rings and their entries, little-endian, oldest first."""
    state = KeyedRows(FORM, rings)
    take(state, named)
    expected = plain(named, rings)
    assert state.take_changed() == list(expected.items())
    assert list(state.dump().items()) == sorted(expected.items())


@given(st.lists(keys, max_size=6), st.integers(0, 2))
def test_changed_rows_are_taken_once(portions: list[list[str]], rings: int) -> None:
    """A row is taken when its key was named since the last time; the latest rows together are the whole state."""
    state = KeyedRows(FORM, rings)
    latest: dict[bytes, bytes] = {}
    for named in portions:
        take(state, named)
        changed = state.take_changed()
        assert {key for key, _ in changed} == {key.encode() for key in named}
        assert len({key for key, _ in changed}) == len(changed)
        assert state.take_changed() == []
        latest |= dict(changed)
    assert latest == state.dump()
    assert state.take_changed() == []


@given(keys, keys, keys, st.integers(0, 2))
def test_a_loaded_state_goes_on_as_if_nothing_happened(
    before: list[str], own: list[str], after: list[str], rings: int
) -> None:
    """Loaded rows take the place of what their keys had, count as unchanged, and go on with the same bytes."""
    state, loaded = KeyedRows(FORM, rings), KeyedRows(FORM, rings)
    take(state, before)
    take(loaded, own)
    kept = {key: row for key, row in loaded.dump().items() if key not in state.dump()}
    loaded.load(reversed(state.take_changed()))
    assert loaded.dump() == state.dump() | kept
    assert {key for key, _ in loaded.take_changed()} == kept.keys()
    known = [key for key in after if key.encode() not in kept]
    for one in (state, loaded):
        for key in known:
            rows = one.rows([key])
            one.table["count"][rows] += 1
    assert dict(loaded.take_changed()) == dict(state.take_changed())


def test_full_rings_survive_being_packed() -> None:
    """Rings of the greatest length, beside empty ones, are the same after load."""
    state, loaded = KeyedRows(FORM, rings=2), KeyedRows(FORM, rings=2)
    take(state, ["a"] * (MAX_ENTRIES + 100) + ["b"])
    state.rows(["c"])
    loaded.load(state.dump().items())
    assert loaded.dump() == state.dump()
    take(state, ["a"] * 700)
    take(loaded, ["a"] * 700)
    assert loaded.dump()[b"a"] != plain(["a"] * (MAX_ENTRIES + 800), 2)[b"a"]
    assert len(loaded.dump()[b"a"]) == len(state.dump()[b"a"])


def test_loading_nothing_changes_nothing() -> None:
    """No rows to load is no error, and leaves the state as it was."""
    state = KeyedRows(FORM, rings=1)
    take(state, ["a"])
    before = state.dump()
    state.load([])
    assert state.dump() == before


def one_row(rings: list[int], *, extra: bytes = b"") -> bytes:
    """Return a packed row whose rings say to be of some lengths, with the entries of the first that are left."""
    return struct.pack("<qdd", 1, 0.5, -0.25) + b"".join(struct.pack("<q", one) for one in rings) + extra


@pytest.mark.parametrize(
    ("rings", "row"),
    [
        (0, b""),
        (0, one_row([])[:-1]),
        (0, one_row([], extra=b"\0")),
        (0, one_row([], extra=bytes(8))),
        (1, one_row([])),
        (1, one_row([1])),
        (1, one_row([0], extra=bytes(24))),
        (1, one_row([2], extra=bytes(24))),
        (1, one_row([1], extra=bytes(23))),
        (1, one_row([-1])),
        (1, one_row([MAX_ENTRIES + 1], extra=bytes(24 * (MAX_ENTRIES + 1)))),
        (2, one_row([0])),
        (2, one_row([2, -1], extra=bytes(24))),
    ],
    ids=lambda one: f"{len(one)}_bytes" if isinstance(one, bytes) else f"{one}_rings",
)
def test_a_row_of_another_form_is_refused(rings: int, row: bytes) -> None:
    """A row that another version wrote is refused, alone or among good ones, and the state stays as it was."""
    good, state = KeyedRows(FORM, rings), KeyedRows(FORM, rings)
    take(good, ["good", "good"])
    take(state, ["own"])
    before = state.dump()
    for pairs in ([(b"bad", row)], [*good.dump().items(), (b"bad", row)]):
        with pytest.raises(ValueError, match="written by another version"):
            state.load(pairs)
    assert state.dump() == before


def test_rows_that_make_up_for_one_another_are_refused() -> None:
    """A row with an entry too many does not lend it to one with an entry too few."""
    state = KeyedRows(FORM, rings=1)
    with pytest.raises(ValueError, match="written by another version"):
        state.load([(b"a", one_row([0], extra=bytes(24))), (b"b", one_row([1]))])
    assert len(state) == 0
