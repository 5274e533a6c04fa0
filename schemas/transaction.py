"""A payment by a customer to a merchant."""

from typing import Literal

import msgspec

from schemas.constraints import Amount, EntityId, EventTimeNs
from schemas.currency import CurrencyCode


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """A payment; on its topic it is keyed by `customer_id`."""

    schema_version: Literal[1]
    transaction_id: EntityId
    customer_id: EntityId
    merchant_id: EntityId
    amount: Amount
    currency: CurrencyCode
    event_time_ns: EventTimeNs
