"""Sends the rows of one source to the merchants they concern: the sending side of `risk.merchant_events`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from risk.chunk import Chunk
from risk.fold import Output
from risk.merchant_events import Block, Role, encode_block
from risk.partitioner import partitions_of

MAX_BLOCK_ROWS = 1024


class MerchantRouting:
    """Cuts the rows of one source partition into blocks, one or more for each merchant partition.

    `clock_ns` is the greatest event time that the source has shown; it goes into the owner's cut.
    """

    def __init__(self, role: Role, partition: int, partitions: int) -> None:
        self._role: Role = role
        self._partition = partition
        self._partitions = partitions
        self._told_caught_up: bool | None = None
        self.clock_ns = -(2**63)

    def outputs(
        self,
        chunk: Chunk,
        index: NDArray[np.int64],
        *,
        kinds: NDArray[np.uint8],
        event_time_ns: NDArray[np.int64],
        transaction_time_ns: NDArray[np.int64],
        features: NDArray[np.float64],
        transaction_id: Sequence[str],
        customer_id: Sequence[str],
        merchant_id: Sequence[str],
    ) -> list[Output]:
        """Return the blocks of a chunk's rows; `index` is each row's record in the chunk, `features` float64[n, F].

        A source that is behind, or has just reached its end, sends a block to every merchant partition, be it an
        empty one, because those who wait for it must learn how far it has come.
        """
        order_time_ns = np.maximum.accumulate(np.concatenate(([self.clock_ns], event_time_ns)))[1:]
        if len(order_time_ns):
            self.clock_ns = int(order_time_ns[-1])
        offsets = chunk.offsets[index]
        target = partitions_of(merchant_id, self._partitions)
        to_all = not chunk.caught_up or chunk.caught_up != self._told_caught_up
        self._told_caught_up = chunk.caught_up
        outputs = []
        for at in range(self._partitions):
            rows = np.flatnonzero(target == at)
            if not len(rows) and not to_all:
                continue
            pieces = [rows[i : i + MAX_BLOCK_ROWS] for i in range(0, len(rows), MAX_BLOCK_ROWS)] or [rows]
            for number, piece in enumerate(pieces):
                last = number == len(pieces) - 1
                order = order_time_ns[piece]
                chosen = piece.tolist()
                block = Block(
                    role=self._role,
                    partition=self._partition,
                    # Only the last piece may speak for the whole chunk.
                    caught_up=chunk.caught_up and last,
                    clock_ns=self.clock_ns if last else int(order[-1]),
                    offsets=offsets[piece].tobytes(),
                    kinds=kinds[piece].tobytes(),
                    order_time_ns=order.tobytes(),
                    event_time_ns=event_time_ns[piece].tobytes(),
                    transaction_time_ns=transaction_time_ns[piece].tobytes(),
                    features=features[piece].tobytes(),
                    transaction_id=[transaction_id[row] for row in chosen],
                    customer_id=[customer_id[row] for row in chosen],
                    merchant_id=[merchant_id[row] for row in chosen],
                )
                outputs.append(Output("merchant_events", at, None, encode_block(block), b""))
        return outputs
