"""A quote of a symbol, or a trade in it."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from schemas.constraints import EntityId, EventTimeNs, Price

TradedSize = Annotated[
    float, Meta(gt=0.0, le=1e12, description="What was traded, in units of the symbol; more than 0.")
]

SequenceNumber = Annotated[
    int,
    Meta(
        ge=0,
        lt=9_223_372_036_854_775_807,
        description="Rises by one from a symbol's tick to its next, so that gaps and repeats show.",
    ),
]


class Tick(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask, or price and size of a trade, or both; on its topic it is keyed by `symbol`.

    `bid` must not exceed `ask`; of each pair send both fields or none.
    """

    schema_version: Literal[1]
    symbol: EntityId
    event_time_ns: EventTimeNs
    bid: Price | UnsetType = UNSET
    ask: Price | UnsetType = UNSET
    sequence: SequenceNumber | None = None
    price: Price | UnsetType = UNSET
    size: TradedSize | UnsetType = UNSET
