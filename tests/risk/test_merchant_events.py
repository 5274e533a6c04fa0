from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.byte_slices import BytesColumn, TextColumn
from risk.merchant_events import (
    CLEARANCE,
    FRAUD,
    TRANSACTION,
    Block,
    MerchantColumns,
    Role,
    Source,
    decode_block,
    decode_blocks,
    encode_block,
    encode_blocks,
    int64_column,
)

int64s = st.integers(-(2**63), 2**63 - 1)
texts = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.just("\U0001f600" * 64))
sources = st.tuples(st.sampled_from(get_args(Role)), st.integers(0, 2**31 - 1))
COLUMNS = MerchantColumns.__struct_fields__


@st.composite
def columns(draw: st.DrawFn, role: Role, count: int | None = None) -> MerchantColumns:
    """Draw rows of a role, whether or not a first hop would send them."""
    size = draw(st.integers(0, 6)) if count is None else count

    def numbers() -> NDArray[np.int64]:
        return np.array(draw(st.lists(int64s, min_size=size, max_size=size)), dtype=np.int64)

    def strings() -> TextColumn:
        return TextColumn.of(draw(st.lists(texts, min_size=size, max_size=size)))

    width = draw(st.integers(0, 3)) if role == "transactions" else 0
    floats = draw(st.lists(st.floats(), min_size=size * width, max_size=size * width))
    kinds = [TRANSACTION] if role == "transactions" else [FRAUD, CLEARANCE]
    event_time_ns = numbers()
    return MerchantColumns(
        offsets=numbers(),
        kinds=np.array(draw(st.lists(st.sampled_from(kinds), min_size=size, max_size=size)), dtype=np.uint8),
        order_time_ns=numbers(),
        event_time_ns=event_time_ns,
        transaction_time_ns=event_time_ns if role == "transactions" else numbers(),
        features=np.array(floats, dtype=np.float64).reshape(size, width),
        transaction_id=strings(),
        customer_id=strings(),
        merchant_id=strings(),
    )


@st.composite
def values(draw: st.DrawFn) -> bytes:
    """Draw a block of any rows."""
    source = draw(sources)
    own = draw(columns(source[0]))
    return encode_block(source, own, caught_up=draw(st.booleans()), clock_ns=draw(int64s))


def plain(rows: MerchantColumns | Block, chosen: list[int]) -> dict[str, list[object]]:
    """Return each column's chosen rows as Python has them; floats as their bytes."""
    found = {}
    for name in COLUMNS:
        column = getattr(rows, name)
        found[name] = [one.tobytes() if isinstance(one, np.ndarray) else one for one in (column[at] for at in chosen)]
    return found


@given(sources, st.booleans(), int64s, st.data())
def test_a_block_comes_back_as_it_was(source: Source, caught_up: bool, clock_ns: int, data: st.DataObject) -> None:
    """Every column comes back bit for bit, and a block's length is whole words."""
    rows = data.draw(columns(source[0]))
    value = encode_block(source, rows, caught_up=caught_up, clock_ns=clock_ns)
    block = decode_block(value)
    count = len(rows.offsets)
    assert (block.value, block.source, block.caught_up, block.clock_ns) == (value, source, caught_up, clock_ns)
    assert len(block) == count
    assert len(value) % 8 == 0
    assert plain(block, list(range(count))) == plain(rows, list(range(count)))
    assert block.features.shape == rows.features.shape
    if count:
        assert (block.first_offset, block.last_offset) == (rows.offsets[0], rows.offsets[-1])


@given(sources, st.data())
def test_rows_are_sent_in_the_pieces_asked_for(source: Source, data: st.DataObject) -> None:
    """Blocks written together hold the rows of their pieces, each with its own clock and word on the end."""
    rows = data.draw(columns(source[0]))
    count = len(rows.offsets)
    order = data.draw(st.permutations(range(count)))
    ends = [*sorted(data.draw(st.lists(st.integers(0, count), max_size=3))), count]
    caught_up, clock_ns = [at % 2 == 0 for at in range(len(ends))], list(range(len(ends)))
    found = encode_blocks(
        source,
        rows,
        np.array(order, dtype=np.int64),
        np.array(ends, dtype=np.int64),
        caught_up=np.array(caught_up),
        clock_ns=np.array(clock_ns),
    )
    blocks = decode_blocks(BytesColumn.of(found))
    assert [block.source for block in blocks] == [source] * len(ends)
    assert [block.caught_up for block in blocks] == caught_up
    assert [block.clock_ns for block in blocks] == clock_ns
    for block, first, end in zip(blocks, [0, *ends], ends, strict=False):
        assert plain(block, list(range(len(block)))) == plain(rows, order[first:end])


@given(st.one_of(st.binary(max_size=80), values().map(lambda one: one[:-1]), values().map(lambda one: one[:-8])))
def test_what_is_no_block_is_refused(value: bytes) -> None:
    """Other bytes, and a block that was cut short, raise DecodeError."""
    with pytest.raises(msgspec.DecodeError):
        decode_block(value)


@given(values(), st.data())
def test_a_damaged_block_is_refused_or_holds_together(value: bytes, data: st.DataObject) -> None:
    """With any bytes overwritten, a block raises DecodeError or has columns that lie within it and texts in UTF-8."""
    damaged = bytearray(value)
    for at in data.draw(st.lists(st.integers(0, len(value) - 1), min_size=1, max_size=4)):
        damaged[at] = data.draw(st.integers(0, 255))
    try:
        block = decode_block(bytes(damaged))
    except msgspec.DecodeError:
        return
    for name in COLUMNS:
        assert len(list(getattr(block, name))) == len(block)
    for column in (block.transaction_id, block.customer_id, block.merchant_id):
        assert np.all((column.starts >= 0) & (column.starts <= column.ends) & (column.ends <= len(value)))


GOOD = encode_block(
    ("labels", 3),
    MerchantColumns(
        offsets=np.arange(2),
        kinds=np.full(2, FRAUD, dtype=np.uint8),
        order_time_ns=np.arange(2),
        event_time_ns=np.arange(2),
        transaction_time_ns=np.arange(2),
        features=np.empty((2, 0)),
        transaction_id=TextColumn.of(["damaged", "t"]),
        customer_id=TextColumn.of(["c", "c"]),
        merchant_id=TextColumn.of(["m", "m"]),
    ),
    caught_up=True,
    clock_ns=1,
)
ENDS_AT = 8 * (4 + 4 * 2)


@pytest.mark.parametrize(
    ("at", "byte"),
    [
        (0, 0),
        (1, 0),
        (2, 2),
        (3, 4),
        (3, 2),
        (16, 3),
        (19, 255),
        (20, 1),
        (23, 255),
        (24, 14),
        (27, 255),
        (28, 1),
        (ENDS_AT, 9),
        (ENDS_AT + 3, 255),
        (ENDS_AT + 20, 11),
        (len(GOOD) - 1, 1),
    ],
)
def test_each_part_of_the_layout_is_held_to(at: int, byte: int) -> None:
    """A block with another magic, version, flag, count, width, size, end of a text or filling raises DecodeError."""
    assert decode_block(GOOD).transaction_id == ["damaged", "t"]
    with pytest.raises(msgspec.DecodeError):
        decode_block(GOOD[:at] + bytes([byte]) + GOOD[at + 1 :])


@given(st.lists(int64s))
def test_a_column_of_numbers_is_little_endian(numbers: list[int]) -> None:
    """A column reads as the numbers whose eight bytes lie one after another, the least first."""
    column = b"".join(one.to_bytes(8, "little", signed=True) for one in numbers)
    found = int64_column(column)
    assert found.tolist() == numbers
    assert found.dtype == np.int64


@pytest.mark.parametrize("text", [b"dam\xffged", b"damage\xc3", b"d\xed\xa0\x80ged"])
def test_text_that_is_not_utf8_is_refused(text: bytes) -> None:
    """A block whose text was damaged raises DecodeError like any other that is none, also for a torn character."""
    with pytest.raises(msgspec.DecodeError, match="UTF-8"):
        decode_block(GOOD.replace(b"damaged", text))
