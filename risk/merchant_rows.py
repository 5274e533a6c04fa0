"""The messages that blocks of merchant events carry: transactions and labels, row by row."""

from collections.abc import Mapping

import msgspec
import numpy as np

from risk.block_rows import BlockRows
from risk.merchant_events import Block, Role, decode_block, encode_block


class MerchantRows(BlockRows[Block]):
    """Each row of a block is a message of its own source; `topics` names the topic of each role."""

    def __init__(self, topics: Mapping[Role, str]) -> None:
        super().__init__({role: topic for role, topic in topics.items()}, decode_block, encode_block, _where)


def _where(block: Block, rows: list[int]) -> Block:
    def of(column: bytes) -> bytes:
        width = len(column) // len(block)
        return np.frombuffer(column, dtype=np.uint8).reshape(len(block), width)[rows].tobytes()

    return msgspec.structs.replace(
        block,
        offsets=of(block.offsets),
        kinds=of(block.kinds),
        order_time_ns=of(block.order_time_ns),
        event_time_ns=of(block.event_time_ns),
        transaction_time_ns=of(block.transaction_time_ns),
        features=of(block.features),
        transaction_id=[block.transaction_id[row] for row in rows],
        customer_id=[block.customer_id[row] for row in rows],
        merchant_id=[block.merchant_id[row] for row in rows],
    )
