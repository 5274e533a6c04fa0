"""An alert: an event that needs a person, or that was declined, and why."""

from typing import Literal

import msgspec

from schemas.outcome import Outcome
from schemas.reason import Reason
from schemas.severity import Severity
from schemas.source import Source


class Alert(msgspec.Struct, frozen=True, gc=False):
    """An alert on a customer's transaction or on a symbol's bar. The same input makes the same id and bytes."""

    schema_version: Literal[1]
    alert_id: str
    event_id: str
    entity_kind: Literal["customer", "symbol"]
    entity_id: str
    event_time_ns: int
    source: Source
    score: float
    threshold: float
    outcome: Outcome
    severity: Severity
    reasons: tuple[Reason, ...]
    bundle_name: str
    bundle_version: str
