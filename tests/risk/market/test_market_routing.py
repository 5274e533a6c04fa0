import dataclasses
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.chunk import Chunk
from risk.event_merge import Released
from risk.fold import Output
from risk.market.market_columns import MarketColumns, bar_columns, curve_columns, position_columns
from risk.market.market_events import BAR, CURVE, Block, decode_block
from risk.market.market_routing import BEHIND_RECORDS, MAX_BLOCK_ROWS, MarketRouting
from risk.market.market_rows import MarketRows
from risk.market.released_rows import MarketBlocks, ReleasedRows
from risk.merchant_events import int64_column
from risk.partitioner import partitions_of
from risk.portfolios.decode_positions import PositionColumns, decode_positions
from schemas.encoding import encode
from schemas.position import Position
from schemas.source import Source

START_NS = 1_767_225_600_000_000_000
PARTITIONS = 3
ROWS = MarketRows({"ticks": "t", "rates": "r", "positions": "p"})


def chunk_of(role: str, count: int, first: int = 0, *, caught_up: bool = True) -> Chunk:
    """Return a chunk of as many records; what they hold does not matter."""
    nothing = (None,) * count
    return Chunk.of(role, 1, tuple(range(first, first + count)), nothing, nothing, caught_up=caught_up)


def bars(first: int, count: int) -> MarketColumns:
    """Return bars that tell themselves apart in every column, one a record."""
    numbers = np.arange(first, first + count)
    names = ("close", "log_return_percent", "variance_percent2", "next_variance_percent2", "standardised_residual")
    return bar_columns(
        np.arange(count),
        START_NS + 10 * numbers,
        [f"s{number}" for number in numbers],
        START_NS + numbers,
        **{name: np.asarray(numbers + 0.1 * at, dtype=np.float64) for at, name in enumerate(names)},
    )


def curves(first: int, count: int) -> MarketColumns:
    """Return curves, each of another number of nodes."""
    numbers = np.arange(first, first + count)
    nodes = [np.arange(1.0, 2.0 + number % 4) for number in numbers]
    return curve_columns(
        np.arange(count),
        START_NS + 10 * numbers,
        [f"c{number}" for number in numbers],
        START_NS + numbers,
        tenors_years=nodes,
        zero_percent=[one + number for one, number in zip(nodes, numbers, strict=True)],
    )


def positions(portfolios: list[str]) -> PositionColumns:
    """Return a position of each portfolio, later and later, every third of them in a bond."""
    values = []
    for at, portfolio in enumerate(portfolios):
        terms = {"currency": "EUR", "maturity_ns": START_NS + at, "coupon_percent": 2.5, "frequency": 1}
        instrument = terms if at % 3 == 0 else {"symbol": f"s{at}"}
        values.append(encode(Position(1, portfolio, START_NS + at, at + 0.5, **instrument)))
    columns, rejections = decode_positions([portfolio.encode() for portfolio in portfolios], list(values))
    assert rejections == []
    return columns


def blocks_of(outputs: list[Output], partition: int) -> list[Block]:
    """Return the blocks that go to a partition."""
    return [decode_block(one.value) for one in outputs if one.partition == partition]


def in_order(blocks: list[Block]) -> ReleasedRows:
    """Return the blocks' rows as a release of all of them."""
    rows = np.concatenate([np.arange(len(block)) for block in blocks])
    number = np.concatenate([np.full(len(block), at) for at, block in enumerate(blocks)])
    return ReleasedRows(Released(MarketBlocks(blocks), number, rows, 0, 0))


@given(st.lists(st.integers(0, 40), max_size=4))
def test_bars_and_curves_go_to_every_partition(sizes: list[int]) -> None:
    """Every partition gets the same blocks, and in them every row with all its numbers, in the source's order."""
    for make, kind in ((bars, BAR), (curves, CURVE)):
        role = "ticks" if kind == BAR else "rates"
        routing = MarketRouting(role, 1, PARTITIONS)  # type: ignore[arg-type]  # one of both
        outputs = []
        for first, end in pairwise(np.cumsum([0, *sizes]).tolist()):
            chunk = chunk_of(role, end - first, first, caught_up=False)
            outputs += routing.outputs(chunk, make(first, end - first))
        expected = [one.value for one in outputs if one.partition == 0]
        assert all([one.value for one in outputs if one.partition == at] == expected for at in range(PARTITIONS))
        if not sum(sizes):
            continue
        whole = make(0, sum(sizes))
        rows = in_order(blocks_of(outputs, 2))
        assert rows.key == whole.key
        assert rows.end_ns.tolist() == whole.end_ns.tolist()
        assert rows.kinds.tolist() == [kind] * len(whole)
        ends = np.cumsum(whole.counts)
        for at in range(len(whole)):
            numbers = whole.numbers[ends[at] - whole.counts[at] : ends[at]]
            assert rows.numbers(at, at + 1)[0].tolist() == numbers.tolist()
            topic = "t" if kind == BAR else "r"
            assert rows.source(at, {"ticks": "t", "rates": "r"}) == Source(topic=topic, partition=1, offset=at)


@given(st.lists(st.sampled_from(["p0", "p1", "p2", "p3", "é"]), max_size=30))
def test_a_position_goes_to_its_portfolio_s_partition(portfolios: list[str]) -> None:
    """Each position is in one partition, that of its key, with its instrument and its terms."""
    columns = positions(portfolios)
    outputs = MarketRouting("positions", 1, PARTITIONS).outputs(
        chunk_of("positions", len(portfolios), caught_up=False), position_columns(columns)
    )
    home = partitions_of(portfolios, PARTITIONS).tolist()
    for partition in range(PARTITIONS):
        rows = in_order(blocks_of(outputs, partition))
        chosen = [at for at in range(len(portfolios)) if home[at] == partition]
        assert rows.key == [portfolios[at] for at in chosen]
        assert rows.name == [columns.name[at] for at in chosen]
        assert rows.end_ns.tolist() == columns.maturity_ns[chosen].tolist()
        for number, at in enumerate(chosen):
            (found,) = rows.numbers(number, number + 1).tolist()
            assert found == [columns.quantity[at], columns.coupon_percent[at], columns.frequency[at]]


def test_a_source_tells_how_far_it_has_come() -> None:
    """Of what has no row it tells only that it is at its end, or has fallen behind by more than a moment."""
    routing = MarketRouting("positions", 1, PARTITIONS)
    nothing = position_columns(positions([]))
    chunks = [(False, 5), (False, 5), (True, 5), (True, 5), (False, BEHIND_RECORDS - 1), (True, 1)]
    chunks += [(False, BEHIND_RECORDS - 1), (False, 1), (False, 1), (True, 0)]
    given = [len(routing.outputs(chunk_of("positions", count, caught_up=end), nothing)) for end, count in chunks]
    assert given == [3, 0, 3, 0, 0, 0, 0, 3, 0, 3]
    routing = MarketRouting("positions", 1, PARTITIONS)
    outputs = routing.outputs(chunk_of("positions", 1, caught_up=False), position_columns(positions(["p0"])))
    assert routing.clock_ns == START_NS
    assert {decode_block(one.value).clock_ns for one in outputs} == {START_NS}
    assert sum(len(decode_block(one.value)) for one in outputs) == 1


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0, 1, BEHIND_RECORDS // 2, BEHIND_RECORDS]), st.integers(0, 2)),
        max_size=12,
    )
)
def test_what_was_told_is_what_a_merge_must_know(chunks: list[tuple[bool, int, int]]) -> None:
    """After any chunk a partition that holds a source to be behind knows its clock, and one at its end is held to be.

    One that is behind is held to be at its end for a moment at most, and not if it has sent a row since.
    """
    routing = MarketRouting("positions", 1, PARTITIONS)
    held: list[tuple[bool, int] | None] = [None] * PARTITIONS
    first = behind_records = 0
    for caught_up, count, wanted in chunks:
        rows = positions([f"p{at % 4}" for at in range(first, first + min(wanted, count))])
        rows.event_time_ns[:] += first
        chunk = chunk_of("positions", count, first, caught_up=caught_up)
        for output in routing.outputs(chunk, position_columns(rows)):
            block = decode_block(output.value)
            held[output.partition] = (block.caught_up, block.clock_ns)
        first += count
        behind_records = 0 if caught_up or rows.portfolio else behind_records + count
        for one in held:
            assert one is not None
            at_end, clock_ns = one
            assert at_end or clock_ns == routing.clock_ns
            assert at_end == caught_up or (at_end and not rows.portfolio and behind_records < BEHIND_RECORDS)


def test_large_chunks_are_cut_and_late_rows_keep_their_place() -> None:
    """No block has more rows than the limit; only the last speaks for the chunk; and order times never fall."""
    count = 2 * MAX_BLOCK_ROWS + 5
    rows = bars(0, count)
    rows.event_time_ns[7] = START_NS - 1_000
    blocks = blocks_of(MarketRouting("ticks", 1, 1).outputs(chunk_of("ticks", count), rows), 0)
    assert [len(block) for block in blocks] == [MAX_BLOCK_ROWS, MAX_BLOCK_ROWS, 5]
    assert [block.caught_up for block in blocks] == [False, False, True]
    order = np.concatenate([int64_column(block.order_time_ns) for block in blocks])
    assert np.all(np.diff(order) >= 0)
    assert order[7] == order[6]
    assert int64_column(blocks[0].event_time_ns)[7] == START_NS - 1_000
    assert [block.clock_ns for block in blocks] == [int(int64_column(block.order_time_ns)[-1]) for block in blocks]


@given(st.lists(st.tuples(st.sampled_from([bars, curves]), st.integers(0, 5)), max_size=4), st.data())
def test_rows_are_left_out_as_if_they_had_never_come(sizes: list[tuple[object, int]], data: st.DataObject) -> None:
    """Every column lacks the excluded rows and nothing else; what a block tells of its source stays."""
    values = []
    for at, (make, count) in enumerate(sizes):
        role = "ticks" if make is bars else "rates"
        routing = MarketRouting(role, 1, 1)  # type: ignore[arg-type]  # one of both
        chunk = chunk_of(role, count, 10 * at)
        values += [output.value for output in routing.outputs(chunk, make(10 * at, count))]  # type: ignore[operator]
    count = len(values)
    chunk = Chunk.of("market-events", 0, tuple(range(count)), (None,) * count, tuple(values), caught_up=False)
    sources = ROWS.of(chunk)
    assert len(sources) == sum(count for _, count in sizes)
    excluded = data.draw(st.sets(st.sampled_from(sources))) if sources else set()
    left = ROWS.without(chunk, excluded)
    assert ROWS.of(left) == [source for source in sources if source not in excluded]
    before = [decode_block(value) for value in values]
    after = [decode_block(value or b"") for value in left.values]
    for block, found in zip(before, after, strict=True):
        assert (found.caught_up, found.clock_ns) == (block.caught_up, block.clock_ns)
        make = bars if block.role == "ticks" else curves
        for at, offset in enumerate(int64_column(found.offsets).tolist()):
            whole = make(offset, 1)
            rows = in_order([found])
            assert (rows.key[at], rows.numbers(at, at + 1)[0].tolist()) == (whole.key[0], whole.numbers.tolist())
            assert rows.end_ns[at] == whole.end_ns[0]
            assert rows.event_time_ns[at] == whole.event_time_ns[0]
    assert excluded or left is chunk


def test_bars_of_one_record_stay_together() -> None:
    """Where a tick closed two bars at the end of a block, both are in it: the second would be taken for a repeat."""
    rows = bars(0, MAX_BLOCK_ROWS + 1)
    index = np.arange(MAX_BLOCK_ROWS + 1)
    index[-1] = index[-2]
    outputs = MarketRouting("ticks", 1, 1).outputs(
        chunk_of("ticks", MAX_BLOCK_ROWS), dataclasses.replace(rows, index=index)
    )
    (block,) = (decode_block(output.value) for output in outputs)
    assert len(block) == MAX_BLOCK_ROWS + 1
