"""Puts the rows of many sources into one order, that of event time, as a function of the log alone.

A second hop's events come from many partitions of the first, which are read at different speeds. Each block tells how
far its source has come and whether it was read to its end. A row is released once no source that is still behind can
bring an earlier one; a source that has reached its end is not waited for. So while a backlog is worked off, the order
is exactly (event time, rank, event id), which is training's; on a live stream, where every source is at its end, rows
are released as they arrive, and what comes later than its time is counted as late.

A source that is behind and falls silent would let rows wait without end: beyond `WAITING_LIMIT_ROWS` of them the
earliest are released all the same, and counted. That too is a function of the log.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, Protocol, TypeVar

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.byte_slices import TextColumn
from risk.event_order import turn_order
from risk.merchant_events import int64_column

WAITING_LIMIT_ROWS = 250_000
"""For a merchant partition 100 MB, or 280 MB where every row came in a block of its own."""

Source = tuple[str, int]
"""A source of events: which stream, and which of its partitions."""


class MergeBlock(Protocol):
    """What the merge must know of a block: whose rows it holds, and how far they reach.

    `offsets` and `order_time_ns` are int64[n], or their bytes; neither falls within a source, and a source has at most
    one row for each offset.
    """

    @property
    def source(self) -> Source:
        """The source that the rows come from."""

    @property
    def caught_up(self) -> bool:
        """Whether the source was at its end."""

    @property
    def clock_ns(self) -> int:
        """The time before which no later row will be ordered."""

    @property
    def offsets(self) -> bytes | NDArray[np.int64]:
        """Each row's offset in its source."""

    @property
    def first_offset(self) -> int:
        """The first of them; it is not asked of a block without rows."""

    @property
    def last_offset(self) -> int:
        """The last of them; it is not asked of a block without rows."""

    @property
    def order_time_ns(self) -> bytes | NDArray[np.int64]:
        """Each row's place in time."""

    def __len__(self) -> int:
        """Return how many rows there are."""


class Joined(Protocol):
    """Blocks whose rows are released together, and what orders these."""

    def order_keys(
        self, block: NDArray[np.int64], row: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return the order time, int64[n], and the rank, uint8[n], of the rows `row[i]` of the blocks `block[i]`."""

    def event_ids(self, block: NDArray[np.int64], row: NDArray[np.int64]) -> TextColumn:
        """Return what orders those of the rows that are of an instant and a rank."""


Block = TypeVar("Block", bound=MergeBlock)
JoinedT = TypeVar("JoinedT", bound=Joined)

_BEGINNING_NS = -(2**63)
_NEVER_NS = 2**63 - 1


@njit(cache=True)
def _spread(spans: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return block, row and turn of each row, int64[n] each, for spans int64[blocks, 3]: turn, first row and end."""
    total = (spans[:, 2] - spans[:, 1]).sum()
    block = np.empty(total, dtype=np.int64)
    row = np.empty(total, dtype=np.int64)
    turn = np.empty(total, dtype=np.int64)
    at = 0
    for number in range(spans.shape[0]):
        for own in range(spans[number, 1], spans[number, 2]):
            block[at], row[at], turn[at] = number, own, spans[number, 0]
            at += 1
    return block, row, turn


@njit(cache=True)
def _untimely(
    turn: NDArray[np.int64], time_ns: NDArray[np.int64], known_ns: NDArray[np.int64], released_ns: int
) -> tuple[int, int, np.int64]:
    """Return how many rows come after their time, how many before it is known to be, and the greatest time by then.

    `known_ns[t]` is the time before which, in turn t, no other rows can come.
    """
    late = early = 0
    before_ns = greatest_ns = np.int64(released_ns)
    for row in range(turn.shape[0]):
        if row > 0 and turn[row] != turn[row - 1]:
            before_ns = greatest_ns
        late += time_ns[row] < before_ns
        early += known_ns[turn[row]] != _NEVER_NS and time_ns[row] >= known_ns[turn[row]]
        greatest_ns = max(greatest_ns, time_ns[row])
    return late, early, greatest_ns


class SourceProgress(msgspec.Struct):
    """How far one source has come."""

    role: str
    partition: int
    clock_ns: int = _BEGINNING_NS
    caught_up: bool = False
    taken_offset: int = -1
    released_offset: int = -1


class MergeCut(msgspec.Struct, frozen=True):
    """What a merge contains: enough to go on from it, given the log from `read_on_offset`."""

    log_offset: int
    read_on_offset: int
    released_ns: int
    sources: list[SourceProgress]


class _Waiting(msgspec.Struct, Generic[Block], gc=False):
    """Rows of a block that are not released yet: the block's place in the log, the first of them, and its time."""

    log_offset: int
    block: Block
    first: int
    first_ns: int


class Released(msgspec.Struct, Generic[JoinedT], frozen=True):
    """Rows in their order: row `row[i]` of block `block[i]` of `blocks`; `late` of them came after their time.

    `early` of them were released before it was known whether a silent source would bring earlier ones.
    """

    blocks: JoinedT
    block: NDArray[np.int64]
    row: NDArray[np.int64]
    late: int
    early: int


class _Turns(Generic[Block]):
    """What is released: of each of `blocks` a span, which is the number of the turn, the first row, and the end.

    `known_ns` are the times before which, in each turn, no other rows can come.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.spans: list[tuple[int, int, int]] = []
        self.known_ns: list[int] = []


class EventMerge(Generic[Block, JoinedT]):
    """Merges the blocks of one partition of the second hop; `join` joins those of which rows are released."""

    def __init__(
        self,
        sources: Sequence[Source],
        join: Callable[[Sequence[Block]], JoinedT],
        waiting_limit_rows: int = WAITING_LIMIT_ROWS,
    ) -> None:
        self._join = join
        self._waiting_limit_rows = waiting_limit_rows
        self._sources: dict[Source, SourceProgress] = {(role, at): SourceProgress(role, at) for role, at in sources}
        self._behind = set(self._sources)
        # Apart by source, each in the order of the log and so of time: the next to go is at a front, and what a block
        # costs does not grow with how many wait. A source of which nothing waits is not among them.
        self._waiting: dict[Source, deque[_Waiting[Block]]] = {}
        self._waiting_rows = 0
        self._log_offset = -1
        self._refill_from = self._refill_until = -1
        self._released_ns = _BEGINNING_NS

    @property
    def waiting_rows(self) -> int:
        """How many rows wait for their turn."""
        return self._waiting_rows

    def add(self, log_offsets: Sequence[int], blocks: Sequence[Block]) -> Released[JoinedT] | None:
        """Take consecutive blocks up and return what may be released now, or None.

        What is released, and its order, is the same as if they were added one by one. Rows that the merge has seen
        already, which a restarted source sends again, are passed over.
        """
        turns = _Turns[Block]()
        for log_offset, block in zip(log_offsets, blocks, strict=True):
            if self._take(log_offset, block, turns) and self._waiting_rows:
                self._release(turns)
        return self._in_order(turns) if turns.blocks else None

    def _take(self, log_offset: int, block: Block, turns: _Turns[Block]) -> bool:
        """Take a block up; return whether rows that wait may go after it."""
        at = block.source
        source = self._sources[at]
        refilling = log_offset <= self._refill_until
        if log_offset <= self._log_offset and not refilling:
            return False
        count = len(block)
        first = count
        if count:
            known = source.released_offset if refilling else source.taken_offset
            waiting = self._waiting.get(at)
            if refilling and waiting:
                # What was taken before the cut and not released is in these blocks, once or more often.
                known = max(known, waiting[-1].block.last_offset)
            # Looked at first, for most blocks are new from their first row on.
            if block.first_offset > known:
                first = 0
            else:
                first = int(np.searchsorted(int64_column(block.offsets), known, side="right"))
            if first < count:
                source.taken_offset = max(source.taken_offset, block.last_offset)
        if refilling:
            if first < count:
                self._let_wait(log_offset, block, first)
            if log_offset == self._refill_until:
                self._refill_until = -1
            return False
        self._refill_until = -1
        self._log_offset = log_offset
        source.clock_ns = max(source.clock_ns, block.clock_ns)
        source.caught_up = block.caught_up
        if block.caught_up:
            self._behind.discard(at)
            if not self._behind and not self._waiting_rows:
                # As on a live stream: there is nobody to wait for.
                if first < count:
                    turns.spans.append((len(turns.known_ns), first, count))
                    turns.blocks.append(block)
                    turns.known_ns.append(_NEVER_NS)
                    source.released_offset = block.last_offset
                return False
        else:
            self._behind.add(at)
        if first < count:
            self._let_wait(log_offset, block, first)
        return True

    def _let_wait(self, log_offset: int, block: Block, first: int) -> None:
        one = _Waiting(log_offset, block, first, int(int64_column(block.order_time_ns)[first]))
        self._waiting.setdefault(block.source, deque()).append(one)
        self._waiting_rows += len(block) - first

    def _release(self, turns: _Turns[Block]) -> None:
        """Release the rows whose turn has come."""
        bound = known = min((self._sources[at].clock_ns for at in self._behind), default=_NEVER_NS)
        if bound != _NEVER_NS and self._waiting_rows > self._waiting_limit_rows:
            bound = max(bound, self._forced_bound())
        taken = self._take_before(bound)
        if taken:
            turn = len(turns.known_ns)
            turns.known_ns.append(known)
            turns.spans += [(turn, one.first, end) for one, end in taken]
            turns.blocks += [one.block for one, _ in taken]

    def _take_before(self, bound_ns: int) -> list[tuple[_Waiting[Block], int]]:
        """Take out the rows before a time; return them block by block, in the order of the log, with each one's end."""
        taken = []
        for at, waiting in list(self._waiting.items()):
            while waiting and waiting[0].first_ns < bound_ns:
                one = waiting.popleft()
                order = int64_column(one.block.order_time_ns)
                end = int(np.searchsorted(order, bound_ns, side="left"))
                taken.append((one, end))
                self._waiting_rows -= end - one.first
                self._sources[at].released_offset = int(int64_column(one.block.offsets)[end - 1])
                if end < len(one.block):
                    waiting.appendleft(_Waiting(one.log_offset, one.block, end, int(order[end])))
            if not waiting:
                del self._waiting[at]
        # Rows that are equal in everything keep the order of the log.
        return sorted(taken, key=lambda pair: pair[0].log_offset)

    def _in_order(self, turns: _Turns[Block]) -> Released[JoinedT]:
        joined = self._join(turns.blocks)
        block, row, turn = _spread(np.array(turns.spans, dtype=np.int64))
        time_ns, rank = joined.order_keys(block, row)
        order = turn_order(turn, time_ns, rank, lambda at: joined.event_ids(block[at], row[at]))
        if order is not None:
            time_ns = time_ns[order]
        known_ns = np.array(turns.known_ns, dtype=np.int64)
        late, early, released_ns = _untimely(turn, time_ns, known_ns, self._released_ns)
        self._released_ns = int(released_ns)
        if order is not None:
            block, row = block[order], row[order]
        return Released(joined, block, row, late, early)

    def _forced_bound(self) -> int:
        """Return the time before which rows must go, so that no more wait than may."""
        earliest = heapq.merge(*(_times_ns(waiting) for waiting in self._waiting.values()))
        surplus = self._waiting_rows - self._waiting_limit_rows
        return next(islice(earliest, surplus - 1, None)) + 1

    def cut(self) -> MergeCut:
        """Return what the merge contains."""
        oldest = (waiting[0].log_offset for waiting in self._waiting.values())
        read_on_offset = min(oldest, default=self._log_offset + 1)
        if self._refill_until >= 0:
            # Until they are all read again, those that waited at the restore are in the log alone.
            read_on_offset = self._refill_from
        return MergeCut(
            log_offset=self._log_offset,
            read_on_offset=read_on_offset,
            released_ns=self._released_ns,
            sources=[msgspec.structs.replace(source) for source in self._sources.values()],
        )

    def restore(self, cut: MergeCut) -> None:
        """Go on from a cut; the blocks from its `read_on_offset` are to be added again."""
        for source in cut.sources:
            at = (source.role, source.partition)
            if at not in self._sources:
                raise ValueError(f"source {at}: not among the {len(self._sources)} sources; partitions were changed")
            self._sources[at] = msgspec.structs.replace(source)
        self._behind = {at for at, source in self._sources.items() if not source.caught_up}
        self._waiting = {}
        self._waiting_rows = 0
        self._log_offset = cut.log_offset
        self._refill_from = cut.read_on_offset
        self._refill_until = cut.log_offset if cut.read_on_offset <= cut.log_offset else -1
        self._released_ns = cut.released_ns


def _times_ns(waiting: Iterable[_Waiting[Block]]) -> Iterator[int]:
    for one in waiting:
        yield from int64_column(one.block.order_time_ns)[one.first :].tolist()
