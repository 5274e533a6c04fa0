"""Sends the rows of one source to the merchants they concern: the sending side of `risk.merchant_events`."""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.byte_slices import TextColumn
from risk.chunk import Chunk
from risk.fold import Output
from risk.merchant_events import MerchantColumns, Role, encode_blocks
from risk.partitioner import partitions_of

MAX_BLOCK_ROWS = 1024


@njit(cache=True)
def _order_times(event_time_ns: NDArray[np.int64], clock_ns: int) -> NDArray[np.int64]:
    order_time_ns = np.empty(event_time_ns.shape[0], dtype=np.int64)
    greatest = np.int64(clock_ns)
    for row in range(event_time_ns.shape[0]):
        greatest = max(greatest, event_time_ns[row])
        order_time_ns[row] = greatest
    return order_time_ns


@njit(cache=True)
def _pieces(
    target: NDArray[np.int64],
    order_time_ns: NDArray[np.int64],
    source_clock_ns: int,
    partitions: int,
    to_all: bool,
    most: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]:
    """Return the rows by their target; and of each piece its target, its end, whether it is the last there, its clock.

    A target has pieces of at most `most` rows, in their order; one without rows has an empty piece if `to_all`.
    """
    counts = np.zeros(partitions, dtype=np.int64)
    for row in range(target.shape[0]):
        counts[target[row]] += 1
    places = np.cumsum(counts) - counts
    rows = np.empty(target.shape[0], dtype=np.int64)
    for row in range(target.shape[0]):
        rows[places[target[row]]] = row
        places[target[row]] += 1
    targets = np.empty(partitions + target.shape[0] // most, dtype=np.int64)
    ends = np.empty(targets.shape[0], dtype=np.int64)
    lasts = np.empty(targets.shape[0], dtype=np.bool_)
    clock_ns = np.empty(targets.shape[0], dtype=np.int64)
    piece = 0
    for at in range(partitions):
        first, end = places[at] - counts[at], places[at]
        while first < end or (to_all and counts[at] == 0):
            first = min(first + most, end)
            targets[piece], ends[piece], lasts[piece] = at, first, first == end
            clock_ns[piece] = source_clock_ns if first == end else order_time_ns[rows[first - 1]]
            piece += 1
            if first == end:
                break
    return rows, targets[:piece], ends[:piece], lasts[:piece], clock_ns[:piece]


class MerchantRouting:
    """Cuts the rows of one source partition into blocks, one or more for each merchant partition.

    `clock_ns` is the greatest event time that the source has shown; it goes into the owner's cut.
    """

    def __init__(self, role: Role, partition: int, partitions: int) -> None:
        self._source = (role, partition)
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
        to_all = not chunk.caught_up or chunk.caught_up != self._told_caught_up
        self._told_caught_up = chunk.caught_up
        if not len(index) and not to_all:
            return []
        order_time_ns = _order_times(event_time_ns, self.clock_ns)
        if len(order_time_ns):
            self.clock_ns = int(order_time_ns[-1])
        merchants = TextColumn.of(merchant_id)
        columns = MerchantColumns(
            offsets=chunk.offsets[index],
            kinds=kinds,
            order_time_ns=order_time_ns,
            event_time_ns=event_time_ns,
            transaction_time_ns=transaction_time_ns,
            features=features,
            transaction_id=TextColumn.of(transaction_id),
            customer_id=TextColumn.of(customer_id),
            merchant_id=merchants,
        )
        target = partitions_of(merchants, self._partitions)
        rows, targets, ends, lasts, clock_ns = _pieces(
            target, order_time_ns, self.clock_ns, self._partitions, to_all, MAX_BLOCK_ROWS
        )
        # Only the last piece may speak for the whole chunk.
        caught_up = lasts & chunk.caught_up
        values = encode_blocks(self._source, columns, rows, ends, caught_up=caught_up, clock_ns=clock_ns)
        return [
            Output("merchant_events", at, None, value, b"") for at, value in zip(targets.tolist(), values, strict=True)
        ]
