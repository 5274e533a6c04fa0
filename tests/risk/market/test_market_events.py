from typing import get_args

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.market.market_events import (
    BAR,
    BOND_POSITION,
    CURVE,
    SYMBOL_POSITION,
    Block,
    Role,
    decode_block,
    encode_block,
)
from risk.merchant_events import int64_column

int64s = st.integers(-(2**63), 2**63 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Draw a block of any rows, whether or not a first hop would make it."""
    count = draw(st.integers(0, 6))
    rows = st.lists(int64s, min_size=count, max_size=count).map(lambda one: np.array(one, dtype="<i8").tobytes())
    return Block(
        role=draw(st.sampled_from(get_args(Role))),
        partition=draw(st.integers(0, 2**31 - 1)),
        caught_up=draw(st.booleans()),
        clock_ns=draw(int64s),
        offsets=draw(rows),
        kinds=draw(st.binary(min_size=count, max_size=count)),
        order_time_ns=draw(rows),
        event_time_ns=draw(rows),
        end_ns=draw(rows),
        counts=draw(rows),
        numbers=np.array(draw(st.lists(st.floats(), max_size=8)), dtype="<f8").tobytes(),
        key=draw(st.lists(texts, min_size=count, max_size=count)),
        name=draw(st.lists(texts, min_size=count, max_size=count)),
    )


@given(blocks())
def test_a_block_comes_back_as_it_was(block: Block) -> None:
    """Every column comes back bit for bit, and the same block always makes the same bytes."""
    value = encode_block(block)
    assert decode_block(value) == block
    assert encode_block(decode_block(value)) == value
    assert len(decode_block(value)) == len(block.key)
    assert block.source == (block.role, block.partition)
    assert block.ranks.tobytes() == block.kinds
    offsets = int64_column(block.offsets).tolist()
    if offsets:
        assert (block.first_offset, block.last_offset) == (offsets[0], offsets[-1])


@given(st.one_of(st.binary(max_size=40), blocks().map(lambda one: encode_block(one)[:-1])))
def test_what_is_no_block_is_refused(value: bytes) -> None:
    """Other bytes, and a block that was cut short, raise DecodeError."""
    with pytest.raises(msgspec.DecodeError):
        decode_block(value)


@pytest.mark.parametrize("field", Block.__struct_fields__)
def test_a_column_of_another_type_is_refused(field: str) -> None:
    """A block in which any one field has another type, or that has a field too few, raises DecodeError."""
    good = Block("ticks", 0, False, 0, b"", b"", b"", b"", b"", b"", b"", [], [])
    fields = list(msgspec.structs.astuple(good))
    at = Block.__struct_fields__.index(field)
    for other in ([*fields[:at], 1.5, *fields[at + 1 :]], fields[:at]):
        with pytest.raises(msgspec.DecodeError):
            decode_block(msgspec.msgpack.encode(other))


def test_text_that_is_not_utf8_is_refused() -> None:
    """A block whose text was damaged raises DecodeError like any other that is none."""
    value = encode_block(Block("ticks", 0, False, 0, b"", bytes([BAR]), b"", b"", b"", b"", b"", ["damaged"], [""]))
    with pytest.raises(msgspec.DecodeError):
        decode_block(value.replace(b"damaged", b"dam\xffged"))


def test_of_an_instant_positions_come_first_and_bars_last() -> None:
    """A position that is set at an instant is what the curves and bars of that instant find."""
    assert max(SYMBOL_POSITION, BOND_POSITION) < CURVE < BAR
