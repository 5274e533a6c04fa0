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
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, Protocol, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.event_order import merge_order
from risk.merchant_events import int64_column

WAITING_LIMIT_ROWS = 250_000
"""For a merchant partition 100 MB, or 280 MB where every row came in a block of its own."""

Source = tuple[str, int]
"""A source of events: which stream, and which of its partitions."""


class MergeBlock(Protocol):
    """What the merge must know of a block: whose rows it holds, how far they reach, and how they are ordered.

    `offsets` and `order_time_ns` are int64 columns as bytes; neither falls within a source, and a source has at most
    one row for each offset. `ranks` and `event_ids` order the rows of an instant.
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
    def offsets(self) -> bytes:
        """Each row's offset in its source."""

    @property
    def order_time_ns(self) -> bytes:
        """Each row's place in time."""

    @property
    def ranks(self) -> NDArray[np.uint8]:
        """Which rows of an instant come first, uint8[n]."""

    @property
    def event_ids(self) -> list[str]:
        """What orders rows of an instant and a rank."""

    def __len__(self) -> int:
        """Return how many rows there are."""


Block = TypeVar("Block", bound=MergeBlock)

_BEGINNING_NS = -(2**63)
_NEVER_NS = 2**63 - 1


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


class Released(msgspec.Struct, Generic[Block], frozen=True):
    """Rows in their order: row `row[i]` of `blocks[block[i]]`; `late` of them came after their time.

    `early` of them were released before it was known whether a silent source would bring earlier ones.
    """

    blocks: list[Block]
    block: NDArray[np.int64]
    row: NDArray[np.int64]
    late: int
    early: int


class EventMerge(Generic[Block]):
    """Merges the blocks of one partition of the second hop."""

    def __init__(self, sources: Sequence[Source], waiting_limit_rows: int = WAITING_LIMIT_ROWS) -> None:
        self._waiting_limit_rows = waiting_limit_rows
        self._sources: dict[Source, SourceProgress] = {(role, at): SourceProgress(role, at) for role, at in sources}
        # Apart by source, each in the order of the log and so of time: the next to go is at a front, and what a block
        # costs does not grow with how many wait.
        self._waiting: dict[Source, deque[_Waiting[Block]]] = {source: deque() for source in self._sources}
        self._waiting_rows = 0
        self._log_offset = -1
        self._refill_from = self._refill_until = -1
        self._released_ns = _BEGINNING_NS

    @property
    def waiting_rows(self) -> int:
        """How many rows wait for their turn."""
        return self._waiting_rows

    def add(self, log_offset: int, block: Block) -> Released[Block] | None:
        """Take a block up and return what may be released now, or None.

        Rows that the merge has seen already, which a restarted source sends again, are passed over.
        """
        source = self._sources[block.source]
        refilling = log_offset <= self._refill_until
        if log_offset <= self._log_offset and not refilling:
            return None
        count = len(block)
        if count:
            offsets = int64_column(block.offsets)
            known = source.released_offset if refilling else source.taken_offset
            first = int(np.searchsorted(offsets, known, side="right"))
            waiting = self._waiting[block.source]
            if refilling and waiting:
                # What was taken before the cut and not released is in these blocks, once or more often.
                last = int(int64_column(waiting[-1].block.offsets)[-1])
                first = max(first, int(np.searchsorted(offsets, last, side="right")))
            if first < count:
                waiting.append(_Waiting(log_offset, block, first, int(int64_column(block.order_time_ns)[first])))
                self._waiting_rows += count - first
                source.taken_offset = max(source.taken_offset, int(offsets[-1]))
        if refilling:
            if log_offset == self._refill_until:
                self._refill_until = -1
            return None
        self._refill_until = -1
        self._log_offset = log_offset
        source.clock_ns = max(source.clock_ns, block.clock_ns)
        source.caught_up = block.caught_up
        return self._release()

    def _release(self) -> Released[Block] | None:
        if not self._waiting_rows:
            return None
        bound = min((s.clock_ns for s in self._sources.values() if not s.caught_up), default=_NEVER_NS)
        known = bound
        if bound != _NEVER_NS and self._waiting_rows > self._waiting_limit_rows:
            bound = max(bound, self._forced_bound())
        blocks: list[Block] = []
        times, ranks, ids, numbers, rows = [], [], [], [], []
        for one, end in self._take_before(bound):
            block = one.block
            chosen = np.arange(one.first, end, dtype=np.int64)
            times.append(int64_column(block.order_time_ns)[one.first : end])
            ranks.append(block.ranks[one.first : end])
            ids.extend(block.event_ids[one.first : end])
            numbers.append(np.full(len(chosen), len(blocks), dtype=np.int64))
            rows.append(chosen)
            blocks.append(block)
        if not blocks:
            return None
        time_ns = np.concatenate(times)
        order = merge_order(time_ns, np.concatenate(ranks), ids)
        ordered = time_ns[order]
        late = int(np.count_nonzero(ordered < self._released_ns))
        self._released_ns = max(self._released_ns, int(ordered[-1]))
        early = int(np.count_nonzero(ordered >= known)) if known != _NEVER_NS else 0
        return Released(blocks, np.concatenate(numbers)[order], np.concatenate(rows)[order], late, early)

    def _take_before(self, bound_ns: int) -> list[tuple[_Waiting[Block], int]]:
        """Take out the rows before a time; return them block by block, in the order of the log, with each one's end."""
        taken = []
        for source, waiting in self._waiting.items():
            while waiting and waiting[0].first_ns < bound_ns:
                one = waiting.popleft()
                order = int64_column(one.block.order_time_ns)
                end = int(np.searchsorted(order, bound_ns, side="left"))
                taken.append((one, end))
                self._waiting_rows -= end - one.first
                self._sources[source].released_offset = int(int64_column(one.block.offsets)[end - 1])
                if end < len(one.block):
                    waiting.appendleft(_Waiting(one.log_offset, one.block, end, int(order[end])))
        # Rows that are equal in everything keep the order of the log.
        return sorted(taken, key=lambda pair: pair[0].log_offset)

    def _forced_bound(self) -> int:
        """Return the time before which rows must go, so that no more wait than may."""
        earliest = heapq.merge(*(_times_ns(waiting) for waiting in self._waiting.values()))
        surplus = self._waiting_rows - self._waiting_limit_rows
        return next(islice(earliest, surplus - 1, None)) + 1

    def cut(self) -> MergeCut:
        """Return what the merge contains."""
        oldest = (waiting[0].log_offset for waiting in self._waiting.values() if waiting)
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
        self._waiting = {source: deque() for source in self._sources}
        self._waiting_rows = 0
        self._log_offset = cut.log_offset
        self._refill_from = cut.read_on_offset
        self._refill_until = cut.log_offset if cut.read_on_offset <= cut.log_offset else -1
        self._released_ns = cut.released_ns


def _times_ns(waiting: Iterable[_Waiting[Block]]) -> Iterator[int]:
    for one in waiting:
        yield from int64_column(one.block.order_time_ns)[one.first :].tolist()
