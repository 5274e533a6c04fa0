"""Rows of merchant events, gathered from the blocks they came in."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.block_layout import LABELS, gather_ids, gather_order, gather_rows
from risk.byte_slices import TextColumn
from risk.customer_profile import CUSTOMER_FEATURES
from risk.merchant_events import Block


class EventRows(msgspec.Struct, frozen=True, gc=False):
    """Rows in the order in which merchants see them, column by column; see `risk.merchant_events.Block`.

    `partition` int64[n] is that of each row's source. `features` float64[n, len(CUSTOMER_FEATURES)] of labels are 0.
    """

    kinds: NDArray[np.uint8]
    partition: NDArray[np.int64]
    offsets: NDArray[np.int64]
    event_time_ns: NDArray[np.int64]
    transaction_time_ns: NDArray[np.int64]
    features: NDArray[np.float64]
    transaction_id: TextColumn
    customer_id: TextColumn
    merchant_id: TextColumn

    def __len__(self) -> int:
        return len(self.kinds)

    def where(self, chosen: NDArray[np.int64]) -> "EventRows":
        """Return some of the rows."""
        return EventRows(
            self.kinds[chosen],
            self.partition[chosen],
            self.offsets[chosen],
            self.event_time_ns[chosen],
            self.transaction_time_ns[chosen],
            self.features[chosen],
            self.transaction_id.take(chosen),
            self.customer_id.take(chosen),
            self.merchant_id.take(chosen),
        )


class MerchantBlocks:
    """Blocks whose rows are released together: the columns of all lie in one buffer. See `risk.event_merge.Joined`."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks
        self._bytes = b"".join([one.value for one in blocks])
        self._words = np.frombuffer(self._bytes, dtype="<i8")
        # Flags, n and F, as the loops take them, and beside them what is needed here.
        numbers = np.array(
            [
                (LABELS if one.role == "labels" else 0, one.count, one.width, one.partition, len(one.value) // 8)
                for one in blocks
            ],
            dtype=np.int64,
        )
        self._headers, self._partitions = numbers, numbers[:, 3]
        self._block_words = np.cumsum(numbers[:, 4]) - numbers[:, 4]

    def order_keys(
        self, block: NDArray[np.int64], row: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return the order time, int64[n], and the rank, uint8[n], of the rows `row[i]` of the blocks `block[i]`.

        Of an instant labels, of rank 0, come before transactions.
        """
        time_ns, rank = gather_order(self._words, self._block_words, self._headers, block, row)
        return time_ns, rank

    def event_ids(self, block: NDArray[np.int64], row: NDArray[np.int64]) -> TextColumn:
        """Return the transactions' ids, which order rows of an instant and a rank."""
        starts, ends = gather_ids(self._words, self._block_words, self._headers, block, row)
        return TextColumn(np.frombuffer(self._bytes, dtype=np.uint8), starts, ends)

    def rows(self, block: NDArray[np.int64], row: NDArray[np.int64]) -> EventRows:
        """Gather the rows `row[i]` of the blocks `block[i]`.

        Raises ValueError for transactions with other features than this version computes.
        """
        width = len(CUSTOMER_FEATURES)
        for one in self._blocks:
            if one.width != width and one.role == "transactions":
                raise ValueError(
                    f"transactions with {one.width} features where {width} are computed: another release's"
                )
        kinds, event_time_ns, transaction_time_ns, offsets, features, starts, ends = gather_rows(
            self._words, self._block_words, self._headers, block, row, width
        )
        data = np.frombuffer(self._bytes, dtype=np.uint8)
        return EventRows(
            kinds,
            self._partitions[block],
            offsets,
            event_time_ns,
            transaction_time_ns,
            features,
            TextColumn(data, starts[0], ends[0]),
            TextColumn(data, starts[1], ends[1]),
            TextColumn(data, starts[2], ends[2]),
        )
