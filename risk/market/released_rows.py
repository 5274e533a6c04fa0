"""Rows of market events in the order of their release, gathered from the blocks they came in."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from risk.byte_slices import TextColumn
from risk.event_merge import Released
from risk.market.market_events import Block, Role
from risk.merchant_events import int64_column
from schemas.source import Source


class MarketBlocks:
    """Blocks whose rows are released together; see `risk.event_merge.Joined`. They have `lengths` int64[blocks]."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.blocks = blocks
        self.lengths = np.array([len(block) for block in blocks], dtype=np.int64)

    def order_keys(
        self, block: NDArray[np.int64], row: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return the order time, int64[n], and the rank, uint8[n], of the rows `row[i]` of the blocks `block[i]`."""
        flat = self.flat(block, row)
        time_ns = int64_column(b"".join(one.order_time_ns for one in self.blocks))
        return time_ns[flat], np.concatenate([one.ranks for one in self.blocks])[flat]

    def event_ids(self, block: NDArray[np.int64], row: NDArray[np.int64]) -> TextColumn:
        """Return the rows' keys, which order rows of an instant and a rank."""
        pairs = zip(block.tolist(), row.tolist(), strict=True)
        return TextColumn.of([self.blocks[number].key[at] for number, at in pairs])

    def flat(self, block: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where rows lie in columns that are joined."""
        found: NDArray[np.int64] = (np.cumsum(self.lengths) - self.lengths)[block] + row
        return found


class ReleasedRows:
    """Rows that were released, in their order: `kinds` uint8[n], `end_ns` int64[n], `key` and `name`."""

    def __init__(self, released: Released[MarketBlocks]) -> None:
        self._blocks = released.blocks.blocks
        of_block, row = released.block, released.row
        flat = released.blocks.flat(of_block, row)
        pairs = list(zip(of_block.tolist(), row.tolist(), strict=True))
        self._pairs = pairs
        self._numbers = np.frombuffer(b"".join(block.numbers for block in self._blocks), dtype="<f8")
        counts = int64_column(b"".join(block.counts for block in self._blocks))
        self._counts = counts[flat]
        self._firsts = (np.cumsum(counts) - counts)[flat]
        self.kinds: NDArray[np.uint8] = np.concatenate([block.ranks for block in self._blocks])[flat]
        self.end_ns: NDArray[np.int64] = int64_column(b"".join(block.end_ns for block in self._blocks))[flat]
        self.event_time_ns: NDArray[np.int64] = int64_column(b"".join(one.event_time_ns for one in self._blocks))[flat]
        self.key = [self._blocks[number].key[at] for number, at in pairs]
        self.name = [self._blocks[number].name[at] for number, at in pairs]

    def __len__(self) -> int:
        return len(self.key)

    def numbers(self, first: int, end: int) -> NDArray[np.float64]:
        """Return the numbers of consecutive rows of one kind that have equally many: float64[end - first, count]."""
        width = int(self._counts[first])
        found: NDArray[np.float64] = self._numbers[self._firsts[first:end, None] + np.arange(width)]
        return found

    def source(self, at: int, topics: Mapping[Role, str]) -> Source:
        """Return where the message of a row lies, given the topic of each role."""
        number, row = self._pairs[at]
        block = self._blocks[number]
        return Source(topic=topics[block.role], partition=block.partition, offset=int(int64_column(block.offsets)[row]))
