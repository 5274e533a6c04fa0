"""An alert as a list shows it: what it is on, how bad it is, and why in a few words."""

import msgspec

from schemas.alert import Alert
from schemas.outcome import Outcome
from schemas.severity import Severity


class RowReason(msgspec.Struct, frozen=True, gc=False):
    """A reason's code, and the reason in words."""

    code: str
    text: str


class AlertRow(msgspec.Struct, frozen=True, gc=False):
    """An alert without what only its own page needs.

    `sequence` grows with every event of the page's process. `event_time_ms` and `arrived_ms`, when Kafka took the alert
    up, are milliseconds since the Unix epoch, which a browser holds exactly.
    """

    sequence: int
    alert_id: str
    event_id: str
    entity_kind: str
    entity_id: str
    event_time_ms: int
    arrived_ms: int
    score: float
    threshold: float
    outcome: Outcome
    severity: Severity
    reasons: tuple[RowReason, ...]


def row_of(alert: Alert, sequence: int, arrived_ms: int) -> AlertRow:
    """Return an alert's row."""
    return AlertRow(
        sequence,
        alert.alert_id,
        alert.event_id,
        alert.entity_kind,
        alert.entity_id,
        alert.event_time_ns // 1_000_000,
        arrived_ms,
        alert.score,
        alert.threshold,
        alert.outcome,
        alert.severity,
        tuple(
            RowReason(one.code, one.text or f"{one.feature} {one.value:,.4g}, usually {one.usual_value:,.4g}")
            for one in alert.reasons
        ),
    )
