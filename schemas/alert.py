"""An alert: an event that needs a person, or that was declined, and why."""

from typing import Literal

import msgspec

from schemas.entity_kind import EntityKind
from schemas.outcome import Outcome
from schemas.reason import Reason
from schemas.severity import Severity
from schemas.source import Source


class Alert(msgspec.Struct, frozen=True, gc=False):
    """An alert on a customer, a symbol, a portfolio or a yield curve. The same input makes the same id and bytes.

    `contributions` by feature add up to `score - usual_score`; `features` are their values. They are empty in an alert
    of a release that explained by reasons alone.
    """

    schema_version: Literal[1]
    alert_id: str
    event_id: str
    entity_kind: EntityKind
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
    usual_score: float = 0.0
    contributions: dict[str, float] = {}
    features: dict[str, float] = {}
