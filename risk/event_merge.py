"""Puts the rows of many sources into one order, that of event time, as a function of the log alone.

A merchant's events come from many customer partitions, which are read at different speeds. Each block tells how far
its source has come and whether it was read to its end. A row is released once no source that is still behind can bring
an earlier one; a source that has reached its end is not waited for. So while a backlog is worked off, the order is
exactly (event time, labels first, event id), which is training's; on a live stream, where every source is at its end,
rows are released as they arrive, and what comes later than its time is counted as late.

A source that is behind and falls silent would let rows wait without end: beyond `WAITING_LIMIT_ROWS` of them the
earliest are released all the same, and counted. That too is a function of the log.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.event_order import merge_order
from risk.merchant_events import TRANSACTION, Block, Source, int64_column

WAITING_LIMIT_ROWS = 250_000
"""About 60 MB for a merchant partition."""

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


class _Waiting(msgspec.Struct, gc=False):
    """Rows of a block that are not released yet: the block's place in the log, and which rows."""

    log_offset: int
    block: Block
    first: int


class Released(msgspec.Struct, frozen=True):
    """Rows in their order: row `row[i]` of `blocks[block[i]]`; `late` of them came after their time.

    `early` of them were released before it was known whether a silent source would bring earlier ones.
    """

    blocks: list[Block]
    block: NDArray[np.int64]
    row: NDArray[np.int64]
    late: int
    early: int


class EventMerge:
    """Merges the blocks of one merchant partition."""

    def __init__(self, sources: list[Source], waiting_limit_rows: int = WAITING_LIMIT_ROWS) -> None:
        self._waiting_limit_rows = waiting_limit_rows
        self._sources = {(role, at): SourceProgress(role, at) for role, at in sources}
        self._waiting: list[_Waiting] = []
        self._log_offset = -1
        self._refill_from = self._refill_until = -1
        self._released_ns = _BEGINNING_NS

    @property
    def waiting_rows(self) -> int:
        """How many rows wait for their turn."""
        return sum(len(one.block) - one.first for one in self._waiting)

    def add(self, log_offset: int, block: Block) -> Released | None:
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
            if refilling:
                # What was taken before the cut and not released is in these blocks, once or more often.
                for one in self._waiting:
                    if one.block.source == block.source and len(one.block):
                        last = int(int64_column(one.block.offsets)[-1])
                        first = max(first, int(np.searchsorted(offsets, last, side="right")))
            if first < count:
                self._waiting.append(_Waiting(log_offset, block, first))
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

    def _release(self) -> Released | None:
        if not self._waiting:
            return None
        bound = min((s.clock_ns for s in self._sources.values() if not s.caught_up), default=_NEVER_NS)
        known = bound
        if bound != _NEVER_NS and self.waiting_rows > self._waiting_limit_rows:
            bound = max(bound, self._forced_bound())
        blocks: list[Block] = []
        times, kinds, ids, numbers, rows = [], [], [], [], []
        still = []
        for one in self._waiting:
            block = one.block
            order = int64_column(block.order_time_ns)
            end = int(np.searchsorted(order, bound, side="left")) if bound != _NEVER_NS else len(block)
            if end <= one.first:
                still.append(one)
                continue
            chosen = np.arange(one.first, end, dtype=np.int64)
            times.append(order[one.first : end])
            kinds.append(np.frombuffer(block.kinds, dtype=np.uint8)[one.first : end])
            ids.extend(block.transaction_id[one.first : end])
            numbers.append(np.full(len(chosen), len(blocks), dtype=np.int64))
            rows.append(chosen)
            blocks.append(block)
            self._sources[block.source].released_offset = int(int64_column(block.offsets)[end - 1])
            if end < len(block):
                still.append(_Waiting(one.log_offset, block, end))
        if not blocks:
            return None
        self._waiting = still
        time_ns = np.concatenate(times)
        order = merge_order(time_ns, np.concatenate(kinds) == TRANSACTION, ids)
        ordered = time_ns[order]
        late = int(np.count_nonzero(ordered < self._released_ns))
        self._released_ns = max(self._released_ns, int(ordered[-1]))
        early = int(np.count_nonzero(ordered >= known)) if known != _NEVER_NS else 0
        return Released(blocks, np.concatenate(numbers)[order], np.concatenate(rows)[order], late, early)

    def _forced_bound(self) -> int:
        """Return the time before which rows must go, so that no more wait than may."""
        times = np.concatenate([int64_column(one.block.order_time_ns)[one.first :] for one in self._waiting])
        surplus = len(times) - self._waiting_limit_rows
        return int(np.partition(times, surplus - 1)[surplus - 1]) + 1

    def cut(self) -> MergeCut:
        """Return what the merge contains."""
        read_on_offset = min((one.log_offset for one in self._waiting), default=self._log_offset + 1)
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
        self._waiting = []
        self._log_offset = cut.log_offset
        self._refill_from = cut.read_on_offset
        self._refill_until = cut.log_offset if cut.read_on_offset <= cut.log_offset else -1
        self._released_ns = cut.released_ns
