"""What became known of a transaction: that it was fraud, or that it was not."""

from typing import Literal

import msgspec

from schemas.constraints import EntityId, EventTimeNs


class Label(msgspec.Struct, frozen=True, gc=False):
    """A fraud report (`fraud` true) or a clearance (false), made at `event_time_ns`."""

    schema_version: Literal[1]
    transaction_id: EntityId
    customer_id: EntityId
    merchant_id: EntityId
    transaction_time_ns: EventTimeNs
    event_time_ns: EventTimeNs
    fraud: bool
