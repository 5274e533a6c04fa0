"""A quote of a symbol."""

from typing import Literal

import msgspec

from schemas.constraints import EntityId, EventTimeNs, Price


class Tick(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask; on its topic it is keyed by `symbol`. `bid` must not exceed `ask`."""

    schema_version: Literal[1]
    symbol: EntityId
    event_time_ns: EventTimeNs
    bid: Price
    ask: Price
    sequence: int | None = None
