"""The messages that blocks of market events carry: ticks that closed bars, rates that closed curves, and positions."""

from collections.abc import Mapping

import msgspec
import numpy as np

from risk.block_rows import BlockRows
from risk.market.market_events import Block, Role, decode_block, encode_block
from risk.merchant_events import int64_column


class MarketRows(BlockRows[Block]):
    """Each row of a block is a message of its own source; `topics` names the topic of each role."""

    def __init__(self, topics: Mapping[Role, str]) -> None:
        super().__init__({role: topic for role, topic in topics.items()}, decode_block, encode_block, _where)


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
