"""The messages that blocks of market events carry: ticks that closed bars, rates that closed curves, and positions."""

from collections.abc import Mapping, Set
from dataclasses import replace

import msgspec
import numpy as np

from risk.chunk import Chunk
from risk.market.market_events import Block, Role, decode_block, encode_block
from risk.merchant_events import int64_column
from schemas.source import Source


class MarketRows:
    """Each row of a block is a message of its own source; see `risk.isolation.Parts`.

    `topics` names the topic that each role's messages lie in.
    """

    def __init__(self, topics: Mapping[Role, str]) -> None:
        self._topics = topics

    def of(self, chunk: Chunk) -> list[Source]:
        """Return where the rows' messages lie."""
        return [source for block in _blocks(chunk) for source in self._sources(block)]

    def without(self, chunk: Chunk, excluded: Set[Source]) -> Chunk:
        """Return the chunk with blocks that lack some rows; what they tell of their source stays."""
        if not excluded:
            return chunk
        values = []
        for value, block in zip(chunk.values, _blocks(chunk), strict=True):
            kept = [at for at, source in enumerate(self._sources(block)) if source not in excluded]
            values.append(value if len(kept) == len(block) else encode_block(_where(block, kept)))
        return replace(chunk, values=tuple(values))

    def _sources(self, block: Block) -> list[Source]:
        topic = self._topics[block.role]
        return [
            Source(topic=topic, partition=block.partition, offset=offset)
            for offset in int64_column(block.offsets).tolist()
        ]


def _blocks(chunk: Chunk) -> list[Block]:
    return [decode_block(value) for value in chunk.values if value is not None]


def _where(block: Block, rows: list[int]) -> Block:
    def of(column: bytes) -> bytes:
        return int64_column(column)[rows].tobytes()

    counts, numbers = int64_column(block.counts), np.frombuffer(block.numbers, dtype="<f8")
    ends = np.cumsum(counts)
    return msgspec.structs.replace(
        block,
        offsets=of(block.offsets),
        kinds=bytes(block.kinds[row] for row in rows),
        order_time_ns=of(block.order_time_ns),
        event_time_ns=of(block.event_time_ns),
        end_ns=of(block.end_ns),
        counts=of(block.counts),
        numbers=b"".join(numbers[ends[row] - counts[row] : ends[row]].tobytes() for row in rows),
        key=[block.key[row] for row in rows],
        name=[block.name[row] for row in rows],
    )
