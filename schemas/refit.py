"""Parameters estimated anew, to be installed where they lie in the stream."""

from typing import Any, Literal

import msgspec

from schemas.constraints import EntityId, EventTimeNs

Cause = Literal["schedule", "rejected"]


class Refit(msgspec.Struct, frozen=True):
    """New parameters of a symbol's volatility model; it lies on the topic of ticks, keyed by `symbol`.

    Every tick after it meets the new parameters and none before, so a replay does the same. `model` has the fields
    of a model in the bundle's `market.json`. It is for the bundle named, and passed over under any other. `cause` tells
    whether it was due, or the residuals of the former model had rejected it.
    """

    schema_version: Literal[1]
    symbol: EntityId
    event_time_ns: EventTimeNs
    bundle_version: str
    cause: Cause
    model: dict[str, Any]
