"""First hop of labels: fraud reports and clearances -> rows keyed by merchant. It keeps no rows of its own."""

from collections.abc import Iterable

import numpy as np

from risk.chunk import Chunk
from risk.dead_letters import reject
from risk.decode import decode_labels
from risk.event_time import split_foretold, split_future
from risk.first_hop import FirstHop
from risk.fold import Emitted
from risk.merchant_events import CLEARANCE, FRAUD
from risk.merchant_routing import MerchantRouting


class LabelFold(FirstHop):
    """Forwards one partition of labels to the merchants they concern; see `risk.fold.Fold`.

    Labels may be keyed by anything: it is the merchant's identifier in them that says where they go.
    """

    state_version = "labels-1"

    _routing: MerchantRouting

    def __init__(self, partition: int, *, partitions: int) -> None:
        self._routing = MerchantRouting("labels", partition, partitions)

    def __len__(self) -> int:
        return 0

    def advance(self, chunk: Chunk) -> Emitted:
        """Emit a block of rows for each merchant partition that the labels concern, and dead letters."""
        emitted = Emitted()
        chunk = self._unread(chunk)
        columns, rejections = decode_labels(chunk.values)
        columns, future = split_future(columns, chunk)
        columns, foretold = split_foretold(columns)
        reject(emitted, chunk, rejections + future + foretold)
        count = len(columns.transaction_id)
        self._note(chunk)
        emitted.outputs += self._routing.outputs(
            chunk,
            columns.index,
            kinds=np.where(columns.fraud, np.uint8(FRAUD), np.uint8(CLEARANCE)),
            event_time_ns=columns.event_time_ns,
            transaction_time_ns=columns.transaction_time_ns,
            features=np.empty((count, 0)),
            transaction_id=columns.transaction_id,
            customer_id=columns.customer_id,
            merchant_id=columns.merchant_id,
        )
        emitted.counts = {"forwarded": count}
        return emitted

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return nothing: there are no rows."""
        return []

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut."""
        self._restore_source(cut)
