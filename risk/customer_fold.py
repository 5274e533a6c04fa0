"""First hop: transactions, keyed by customer -> customer profiles -> rows keyed by merchant."""

from collections.abc import Iterable

import numpy as np

from risk import customer_profile
from risk.chunk import Chunk
from risk.customer_profile import CustomerProfile
from risk.dead_letters import reject
from risk.decode import decode_transactions
from risk.event_time import late_rejection, rows_where, split_future
from risk.first_hop import FirstHop
from risk.fold import Emitted
from risk.merchant_events import TRANSACTION
from risk.merchant_routing import MerchantRouting
from risk.stored_rows import StoredRows


class CustomerFold(FirstHop):
    """Advances the profiles of one partition of customers; see `risk.fold.Fold`."""

    state_version = f"customers-{customer_profile.STATE_VERSION}"

    _routing: MerchantRouting

    def __init__(self, partition: int, *, partitions: int, currency: str) -> None:
        self._routing = MerchantRouting("transactions", partition, partitions)
        self._currency = currency
        self._profiles = CustomerProfile()

    def __len__(self) -> int:
        return len(self._profiles)

    def advance(self, chunk: Chunk) -> Emitted:
        """Update the customers' profiles; emit a block of rows for each merchant partition, and dead letters."""
        emitted = Emitted()
        chunk = self._unread(chunk)
        columns, rejections = decode_transactions(chunk.keys, chunk.values, self._currency)
        columns, future = split_future(columns, chunk)
        features = self._profiles.advance(columns.customer_id, columns.event_time_ns, columns.amount)
        too_late = np.isnan(features[:, 0])
        rejections += future
        if too_late.any():
            rejections += [late_rejection(columns, at) for at in np.flatnonzero(too_late).tolist()]
            columns, features = rows_where(columns, np.flatnonzero(~too_late)), features[~too_late]
        reject(emitted, chunk, rejections)
        count = len(columns.transaction_id)
        self._note(chunk)
        emitted.outputs += self._routing.outputs(
            chunk,
            columns.index,
            kinds=np.full(count, TRANSACTION, dtype=np.uint8),
            event_time_ns=columns.event_time_ns,
            transaction_time_ns=columns.event_time_ns,
            features=features,
            transaction_id=columns.transaction_id,
            customer_id=columns.customer_id,
            merchant_id=columns.merchant_id,
        )
        emitted.counts = {"forwarded": count}
        return emitted

    def take_changed(self) -> StoredRows:
        """Return the profiles changed since the last call."""
        return self._profiles.take_changed()

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and its profiles."""
        self._restore_source(cut)
        self._profiles.load(rows)
