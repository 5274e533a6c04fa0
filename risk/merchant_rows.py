"""The messages that blocks of merchant events carry: transactions and labels, row by row."""

from collections.abc import Mapping

import numpy as np

from risk.block_rows import BlockRows
from risk.merchant_events import Block, MerchantColumns, Role, decode_block, encode_block


class MerchantRows(BlockRows[Block]):
    """Each row of a block is a message of its own source; `topics` names the topic of each role."""

    def __init__(self, topics: Mapping[Role, str]) -> None:
        super().__init__({role: topic for role, topic in topics.items()}, decode_block, _value, _where)


def _value(block: Block) -> bytes:
    return block.value


def _where(block: Block, rows: list[int]) -> Block:
    at = np.array(rows, dtype=np.int64)
    columns = MerchantColumns(
        offsets=block.offsets[at],
        kinds=block.kinds[at],
        order_time_ns=block.order_time_ns[at],
        event_time_ns=block.event_time_ns[at],
        transaction_time_ns=block.transaction_time_ns[at],
        features=block.features[at],
        transaction_id=block.transaction_id.take(at),
        customer_id=block.customer_id.take(at),
        merchant_id=block.merchant_id.take(at),
    )
    return decode_block(encode_block(block.source, columns, caught_up=block.caught_up, clock_ns=block.clock_ns))
