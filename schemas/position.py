"""What a portfolio holds of one instrument."""

from typing import Annotated, Literal

import msgspec

from schemas.constraints import EntityId, EventTimeNs
from schemas.currency import CurrencyCode

CouponFrequency = Literal[0, 1, 2, 4, 12]
"""Coupons a year, 0 for a bond without any."""


class Position(msgspec.Struct, frozen=True, gc=False):
    """Sets a portfolio's holding of a symbol, or of a bond, from `event_time_ns` on; keyed by `portfolio`.

    `quantity` is a number of units of the `symbol`, or the notional of a bond in its `currency`; it is negative for a
    short position, and 0 removes the holding. A bond is named by all of `currency`, `maturity_ns`, `coupon_percent` and
    `frequency`, and has no `symbol`. All symbols of a portfolio are taken to be quoted in one currency.
    """

    schema_version: Literal[1]
    portfolio: EntityId
    event_time_ns: EventTimeNs
    quantity: Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
    symbol: EntityId | None = None
    currency: CurrencyCode | None = None
    maturity_ns: EventTimeNs | None = None
    coupon_percent: Annotated[float, msgspec.Meta(ge=0.0, le=100.0)] | None = None
    frequency: CouponFrequency | None = None
