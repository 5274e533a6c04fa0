"""The score of a transaction, published when every score is asked for."""

from typing import Literal

import msgspec

from schemas.outcome import Outcome
from schemas.source import Source


class Score(msgspec.Struct, frozen=True, gc=False):
    """A scored transaction; `features` are in the bundle's order, before normalising."""

    schema_version: Literal[1]
    event_id: str
    customer_id: str
    merchant_id: str
    event_time_ns: int
    source: Source
    score: float
    outcome: Outcome
    features: tuple[float, ...]
    bundle_name: str
    bundle_version: str
