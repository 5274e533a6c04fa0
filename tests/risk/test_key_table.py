import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.byte_slices import BytesColumn, TextColumn
from risk.key_table import KeyTable


class Twin:
    """The same table as a dict."""

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}

    def find(self, keys: list[bytes]) -> list[int]:
        return [self.numbers.setdefault(key, len(self.numbers)) for key in keys]


keys = st.one_of(
    st.binary(max_size=20),
    # Keys of one length that differ little, and keys that begin alike.
    st.integers(0, 300).map(lambda one: b"customer-%d" % one),
    st.integers(0, 20).map(lambda one: b"x" * one),
    st.integers(0, 20).map(lambda one: b"\0" * one),
)


@given(st.lists(st.lists(keys, max_size=200), max_size=6))
def test_numbers_are_those_of_a_dict(portions: list[list[bytes]]) -> None:
    """Whatever the keys, and however they come in portions, each has the number of its first appearance."""
    table, twin = KeyTable(), Twin()
    for portion in portions:
        assert table.find(BytesColumn.of(portion)).tolist() == twin.find(portion)
        assert len(table) == len(twin.numbers)
    assert table.keys(np.arange(len(table))) == list(twin.numbers)
    assert table.keys(np.arange(len(table))[::-1]) == list(twin.numbers)[::-1]


@pytest.mark.parametrize("portion", [1, 7, 1_000, 100_000])
def test_many_keys_keep_their_numbers(portion: int) -> None:
    """Through all growing each of a hundred thousand keys keeps its number, and no other key has it."""
    count = 100_000 if portion > 1 else 3_000
    column = TextColumn.of([f"customer-{at * 7919 % 1_000_003}" for at in range(count)])
    table = KeyTable()
    found = [table.find(column[at : at + portion]) for at in range(0, count, portion)]
    assert np.array_equal(np.concatenate(found), np.arange(count))
    assert np.array_equal(table.find(column), np.arange(count))
    order = np.random.default_rng(3).permutation(count)
    assert np.array_equal(table.find(column.take(order)), order)
    assert len(table) == count


def test_a_key_is_the_same_wherever_it_lies() -> None:
    """A key's number does not depend on the bytes around it, nor on whether it ends its buffer."""
    table = KeyTable()
    for size in range(40):
        table.find(TextColumn.of(["k" * size]))
        data = np.frombuffer(b"abc" + b"k" * size + b"other bytes", dtype=np.uint8)
        for column in (
            BytesColumn(data, np.array([3]), np.array([3 + size])),
            BytesColumn(data[: 3 + size].copy(), np.array([3]), np.array([3 + size])),
        ):
            assert table.find(column).tolist() == [size]


def test_a_long_key_finds_room() -> None:
    """A key that is longer than all before it, and than any growing would make room for, is kept whole."""
    table = KeyTable()
    long = b"x" * 1_000_000
    assert table.find(BytesColumn.of([b"a", long, b"b", long + b"y", long])).tolist() == [0, 1, 2, 3, 1]
    assert table.keys(np.array([1, 2])) == [long, b"b"]


def test_no_keys_are_no_numbers() -> None:
    """Nothing is found for nothing."""
    table = KeyTable()
    assert table.find(TextColumn.of([])).tolist() == []
    assert (len(table), list(table.keys(np.zeros(0, dtype=np.int64)))) == (0, [])
