import itertools
import time
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.byte_slices import TextColumn
from risk.event_merge import EventMerge, Released
from risk.event_rows import MerchantBlocks
from risk.merchant_events import (
    CLEARANCE,
    TRANSACTION,
    Block,
    MerchantColumns,
    Role,
    Source,
    decode_block,
    encode_block,
)

Merge = EventMerge[Block, MerchantBlocks]

SOURCES: list[Source] = [("transactions", 0), ("transactions", 1), ("labels", 0)]


@dataclass(frozen=True)
class Row:
    source: Source
    offset: int
    time_ns: int
    event_id: str

    @property
    def order(self) -> tuple[int, bool, str]:
        return (self.time_ns, self.source[0] == "transactions", self.event_id)


def block_of(source: Source, rows: list[Row], clock_ns: int, caught_up: bool) -> Block:
    """Make a block as a first hop does."""
    times = np.array([row.time_ns for row in rows], dtype=np.int64)
    kind = TRANSACTION if source[0] == "transactions" else CLEARANCE
    columns = MerchantColumns(
        offsets=np.array([row.offset for row in rows], dtype=np.int64),
        kinds=np.full(len(rows), kind, dtype=np.uint8),
        order_time_ns=times,
        event_time_ns=times,
        transaction_time_ns=times,
        features=np.empty((len(rows), 0)),
        transaction_id=TextColumn.of([row.event_id for row in rows]),
        customer_id=TextColumn.of(["c"] * len(rows)),
        merchant_id=TextColumn.of(["m"] * len(rows)),
    )
    return decode_block(encode_block(source, columns, caught_up=caught_up, clock_ns=clock_ns))


def new_merge(limit: int = 250_000) -> Merge:
    """Return an empty merge of the sources."""
    return EventMerge(SOURCES, MerchantBlocks, limit)


def rows_of(role: Role, partition: int, times: list[int]) -> list[Row]:
    """Make a source's rows, in time order as a source shows them, with an offset now and then left out."""
    return [
        Row((role, partition), 2 * at, time_ns, f"{role[0]}{partition}-{at:03d}")
        for at, time_ns in enumerate(sorted(times))
    ]


@st.composite
def backlogs(draw: st.DrawFn) -> tuple[list[Row], list[Block]]:
    """Draw the rows of every source, and a log of blocks that hold them, cut and interleaved at random."""
    times = st.lists(st.integers(0, 20), max_size=15)
    rows = {source: rows_of(*source, draw(times)) for source in SOURCES}
    pieces: dict[Source, list[Block]] = {}
    for source, own in rows.items():
        cuts = sorted({0, len(own), *draw(st.lists(st.integers(0, len(own)), max_size=4))})
        spans = list(itertools.pairwise(cuts)) or [(0, 0)]
        pieces[source] = [
            block_of(source, own[a:b], own[b - 1].time_ns if b else -1, caught_up=b == len(own)) for a, b in spans
        ]
    log = []
    while any(pieces.values()):
        source = draw(st.sampled_from([source for source, left in pieces.items() if left]))
        log.append(pieces[source].pop(0))
        if draw(st.integers(0, 4)) == 0:
            # A source that was restarted sends a block again.
            log.append(log[-1])
    return [row for own in rows.values() for row in own], log


def run(merge: Merge, log: list[Block], first: int = 0) -> list[str]:
    """Add the blocks of a log from an offset on, one by one; return the ids released, in order."""
    return [one for _, ids, *_ in releases(merge, log, first, len(log)) for one in ids]


@given(backlogs())
def test_a_backlog_is_released_in_the_order_of_event_time(drawn: tuple[list[Row], list[Block]]) -> None:
    """However a backlog is cut and interleaved, all rows come out once, in the order that training uses."""
    rows, log = drawn
    assert run(new_merge(), log) == [row.event_id for row in sorted(rows, key=lambda row: row.order)]


@given(backlogs(), st.data())
def test_a_merge_goes_on_from_its_cut(drawn: tuple[list[Row], list[Block]], data: st.DataObject) -> None:
    """A merge restored from any cut, given the log from where the cut says, releases exactly what was left."""
    _, log = drawn
    stop = data.draw(st.integers(0, len(log)))
    whole = run(new_merge(), log)
    first = new_merge()
    before = run(first, log[:stop])
    cut = first.cut()
    second = new_merge()
    second.restore(cut)
    assert before + run(second, log, cut.read_on_offset) == whole
    whole_merge = new_merge()
    run(whole_merge, log)
    assert second.cut() == whole_merge.cut()


@given(backlogs())
def test_a_redelivered_log_changes_nothing(drawn: tuple[list[Row], list[Block]]) -> None:
    """Reading the same offsets again releases nothing and leaves the cut as it was."""
    _, log = drawn
    merge = new_merge()
    run(merge, log)
    cut = merge.cut()
    assert run(merge, log) == []
    assert merge.cut() == cut


def test_a_source_at_its_end_is_not_waited_for() -> None:
    """On a live stream rows are released on arrival, and one that comes after its time is counted as late."""
    merge = new_merge()
    for at, source in enumerate(SOURCES):
        assert merge.add([at], [block_of(source, [], -1, caught_up=True)]) is None
    first = merge.add([3], [block_of(SOURCES[0], [Row(SOURCES[0], 0, 50, "a")], 50, caught_up=True)])
    late = merge.add([4], [block_of(SOURCES[1], [Row(SOURCES[1], 0, 40, "b")], 40, caught_up=True)])
    assert first is not None
    assert (first.late, ids_of(first)) == (0, ["a"])
    assert late is not None
    assert (late.late, ids_of(late)) == (1, ["b"])


def test_a_source_that_is_behind_holds_back_what_it_may_precede() -> None:
    """Rows wait for a source that is behind, and only as far as its clock has not come."""
    merge = new_merge()
    merge.add([0], [block_of(SOURCES[2], [], -1, caught_up=True)])
    merge.add([1], [block_of(SOURCES[1], [], 45, caught_up=False)])
    rows = [Row(SOURCES[0], at, time_ns, f"a{time_ns}") for at, time_ns in enumerate((40, 45, 50))]
    released = merge.add([2], [block_of(SOURCES[0], rows, 50, caught_up=True)])
    assert released is not None
    assert released.row.tolist() == [0]
    assert merge.waiting_rows == 2


def test_a_cut_of_other_sources_is_refused() -> None:
    """A cut made with more partitions than there are now is refused by name."""
    cut = EventMerge([*SOURCES, ("labels", 7)], MerchantBlocks).cut()
    with pytest.raises(ValueError, match=r"labels.*7"):
        new_merge().restore(cut)


@given(backlogs(), st.integers(1, 12), st.data())
def test_no_more_rows_wait_than_may(backlog: tuple[list[Row], list[Block]], limit: int, data: st.DataObject) -> None:
    """Beyond the limit the earliest rows go at once; each row goes once, and a restore anywhere changes nothing."""
    rows, log = backlog
    merge = new_merge(limit)
    whole, early = [], 0
    for offset, block in enumerate(log):
        released = merge.add([offset], [block])
        assert merge.waiting_rows <= limit
        if released is not None:
            whole.append((offset, ids_of(released)))
            early += released.early
    assert sorted(one for _, ids in whole for one in ids) == sorted(row.event_id for row in rows)
    unlimited = new_merge()
    most = 0
    for offset, block in enumerate(log):
        unlimited.add([offset], [block])
        most = max(most, unlimited.waiting_rows)
    assert (early > 0) == (most > limit)

    cut_at = data.draw(st.integers(0, len(log)))
    first = new_merge(limit)
    for offset, block in enumerate(log[:cut_at]):
        first.add([offset], [block])
    cut = first.cut()
    second = new_merge(limit)
    second.restore(cut)
    again = [
        (offset, ids_of(released))
        for offset in range(cut.read_on_offset, len(log))
        if (released := second.add([offset], [log[offset]])) is not None
    ]
    assert again == [one for one in whole if one[0] >= cut_at]


@given(backlogs(), st.integers(1, 12), st.lists(st.tuples(st.integers(1, 8), st.integers(0, 3)), max_size=8))
def test_a_merge_at_its_limit_may_be_restored_again_and_again(
    drawn: tuple[list[Row], list[Block]], limit: int, restores: list[tuple[int, int]]
) -> None:
    """Restored also while it reads again what had waited, and from before that, it releases the same at each block."""
    _, log = drawn
    whole = releases(new_merge(limit), log, 0, len(log))
    merge, at, found = new_merge(limit), 0, []
    for blocks, back in restores:
        end = min(len(log), at + blocks)
        found += releases(merge, log, at, end)
        cut = merge.cut()
        merge, at = new_merge(limit), max(0, cut.read_on_offset - back)
        merge.restore(cut)
    assert found + releases(merge, log, at, len(log)) == whole


@given(backlogs(), st.integers(1, 20), st.lists(st.integers(1, 5), min_size=1, max_size=5))
def test_blocks_may_be_added_together(drawn: tuple[list[Row], list[Block]], limit: int, sizes: list[int]) -> None:
    """Blocks that are added together give the rows, the counts and the cut that they give one by one."""
    _, log = drawn
    single, together = new_merge(limit), new_merge(limit)
    first = 0
    for size in itertools.cycle(sizes):
        end = min(first + size, len(log))
        expected = releases(single, log, first, end)
        released = together.add(range(first, end), log[first:end])
        found = ([], 0, 0) if released is None else (ids_of(released), released.late, released.early)
        late, early = sum(one[2] for one in expected), sum(one[3] for one in expected)
        assert found == ([one for _, ids, *_ in expected for one in ids], late, early)
        assert together.cut() == single.cut()
        first = end
        if first == len(log):
            break


def releases(merge: Merge, log: list[Block], first: int, end: int) -> list[tuple[int, list[str], int, int]]:
    """Return for each block that led to a release its offset, the ids, and how many were late and early."""
    found = []
    for offset in range(first, end):
        released = merge.add([offset], [log[offset]])
        if released is not None:
            found.append((offset, ids_of(released), released.late, released.early))
    return found


def test_what_a_block_costs_does_not_grow_with_what_waits() -> None:
    """With twenty times as many rows waiting, each in a block of its own, a block takes about as long as before."""
    merge = new_merge(10_500)
    merge.add([0], [block_of(SOURCES[1], [], -1, caught_up=False)])
    merge.add([1], [block_of(SOURCES[2], [], -1, caught_up=True)])

    def seconds(first: int, end: int) -> float:
        source = SOURCES[0]
        blocks = [block_of(source, [Row(source, at, at, "a")], at, caught_up=True) for at in range(first, end)]
        began = time.process_time()
        for at, block in enumerate(blocks, start=first):
            merge.add([at + 2], [block])
        return time.process_time() - began

    few = seconds(0, 500)
    seconds(500, 10_000)
    assert seconds(10_000, 10_500) < 8 * few
    assert merge.waiting_rows == 10_500
    # What is released costs something, but not each time all that waits.
    assert seconds(10_500, 11_000) < 40 * few
    assert merge.waiting_rows == 10_500


def ids_of(released: Released[MerchantBlocks]) -> list[str]:
    """Return the released events' ids, in their order."""
    return list(released.blocks.event_ids(released.block, released.row))
