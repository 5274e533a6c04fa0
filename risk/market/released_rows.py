"""Rows of market events in the order of their release, gathered from the blocks they came in."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from risk.event_merge import Released
from risk.market.market_events import Block, Role
from risk.merchant_events import int64_column
from schemas.source import Source


class ReleasedRows:
    """The rows of several releases, one after the other: `kinds` uint8[n], `end_ns` int64[n], `key` and `name`."""

    def __init__(self, released: Sequence[Released[Block]]) -> None:
        self._blocks = [block for one in released for block in one.blocks]
        firsts = np.cumsum([0, *(len(one.blocks) for one in released)])[:-1]
        of_block = np.concatenate([one.block + first for one, first in zip(released, firsts, strict=True)])
        row = np.concatenate([one.row for one in released])
        lengths = np.array([len(block) for block in self._blocks], dtype=np.int64)
        flat = (np.cumsum(lengths) - lengths)[of_block] + row
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
