"""A point of a yield curve."""

from typing import Annotated, Literal

import msgspec

from schemas.constraints import EventTimeNs
from schemas.currency import CurrencyCode


class Rate(msgspec.Struct, frozen=True, gc=False):
    """The yield of one tenor of one currency's curve; on its topic it is keyed by `currency`."""

    schema_version: Literal[1]
    currency: CurrencyCode
    tenor_months: Annotated[int, msgspec.Meta(ge=1, le=1200)]
    rate_percent: Annotated[float, msgspec.Meta(ge=-100.0, le=1000.0)]
    event_time_ns: EventTimeNs
