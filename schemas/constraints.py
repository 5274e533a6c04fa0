"""The types of fields, with their ranges: what a decoder checks before anyone sees a message."""

from typing import Annotated

from msgspec import Meta

EntityId = Annotated[str, Meta(min_length=1, max_length=64, description="Identifier, 1 to 64 characters.")]

EventTimeNs = Annotated[
    int,
    Meta(
        ge=946_684_800_000_000_000,
        lt=4_102_444_800_000_000_000,
        description="Nanoseconds since the Unix epoch, UTC, in the years 2000 to 2099.",
    ),
]

Amount = Annotated[float, Meta(ge=0.0, le=1e9, description="Amount in units of the currency, 0 to 1e9.")]

Price = Annotated[float, Meta(gt=0.0, le=1e12, description="Price, more than 0.")]
