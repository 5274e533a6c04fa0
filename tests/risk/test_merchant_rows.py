import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.byte_slices import TextColumn
from risk.chunk import Chunk
from risk.merchant_events import FRAUD, Block, MerchantColumns, Role, decode_block, encode_block
from risk.merchant_rows import MerchantRows
from schemas.source import Source

ROWS = MerchantRows({"transactions": "t", "labels": "l"})


def block(role: Role, first: int, count: int) -> Block:
    """Return a block of rows that tell themselves apart in every column."""
    numbers = np.arange(first, first + count, dtype="<i8")
    texts = [str(number) for number in numbers]
    columns = MerchantColumns(
        offsets=numbers,
        kinds=np.full(count, FRAUD, dtype=np.uint8),
        order_time_ns=numbers + 100,
        event_time_ns=numbers + 200,
        transaction_time_ns=numbers + 300,
        features=np.column_stack([numbers, numbers * 0.5]) if role == "transactions" else np.empty((count, 0)),
        transaction_id=TextColumn.of(texts),
        customer_id=TextColumn.of([f"c{text}" for text in texts]),
        merchant_id=TextColumn.of([f"m{text}" for text in texts]),
    )
    return decode_block(encode_block((role, 3), columns, caught_up=True, clock_ns=99))


def chunk_of(blocks: list[Block]) -> Chunk:
    """Return a chunk of merchant events."""
    count = len(blocks)
    values = tuple(one.value for one in blocks)
    return Chunk.of("merchant-events", 0, tuple(range(count)), (None,) * count, values, caught_up=False)


@given(
    sizes=st.lists(st.tuples(st.sampled_from(["transactions", "labels"]), st.integers(0, 5)), max_size=4),
    data=st.data(),
)
def test_rows_are_left_out_as_if_they_had_never_come(sizes: list[tuple[Role, int]], data: st.DataObject) -> None:
    """Every column lacks the excluded rows and nothing else; what a block tells of its source stays."""
    firsts = np.cumsum([0, *(size for _, size in sizes)]).tolist()
    blocks = [block(role, first, size) for (role, size), first in zip(sizes, firsts, strict=False)]
    sources = ROWS.of(chunk_of(blocks))
    assert sources == [
        Source(topic=one.role[0], partition=3, offset=offset) for one in blocks for offset in one.offsets.tolist()
    ]
    excluded = data.draw(st.sets(st.sampled_from(sources))) if sources else set()
    left = ROWS.without(chunk_of(blocks), excluded)
    assert ROWS.of(left) == [source for source in sources if source not in excluded]
    for value in left.values:
        assert value is not None
        found = decode_block(value)
        offsets = found.offsets
        assert (found.caught_up, found.clock_ns, len(found)) == (True, 99, len(offsets))
        assert found.order_time_ns.tolist() == (offsets + 100).tolist()
        assert found.event_time_ns.tolist() == (offsets + 200).tolist()
        if found.role == "transactions":
            assert found.features.tolist() == np.column_stack([offsets, offsets * 0.5]).tolist()
        else:
            assert found.transaction_time_ns.tolist() == (offsets + 300).tolist()
            assert found.kinds.tolist() == [FRAUD] * len(found)
        assert found.transaction_id == [str(offset) for offset in offsets]
        assert found.customer_id == [f"c{offset}" for offset in offsets]
        assert found.merchant_id == [f"m{offset}" for offset in offsets]


def test_nothing_left_out_is_the_chunk_itself() -> None:
    """A chunk of which nothing is left out comes back as it is."""
    chunk = chunk_of([block("labels", 0, 2)])
    assert ROWS.without(chunk, set()) is chunk
    assert ROWS.without(chunk, {Source(topic="l", partition=4, offset=0)}).values == chunk.values
