"""An alert on a closed curve as the message that is published."""

from risk.rates.closed_curves import ClosedCurves
from risk.rates.curve_identity import curve_event_id
from risk.rates.curve_reasons import ALERT_SCORE
from schemas.alert import Alert
from schemas.reason import Reason
from schemas.severity import Severity
from schemas.source import Source


def curve_alert_message(
    curves: ClosedCurves,
    at: int,
    score: float,
    reasons: tuple[Reason, ...],
    *,
    alert_id: str,
    source: Source,
    bundle_name: str,
    bundle_version: str,
) -> Alert:
    """Return the alert on curve `at` for its score and reasons (`risk.rates.curve_reasons`)."""
    currency, event_time_ns = curves.currency[at], int(curves.event_time_ns[at])
    return Alert(
        schema_version=1,
        alert_id=alert_id,
        event_id=curve_event_id(currency, event_time_ns),
        entity_kind="curve",
        entity_id=currency,
        event_time_ns=event_time_ns,
        source=source,
        score=score,
        threshold=ALERT_SCORE,
        outcome="review",
        severity=severity(score),
        reasons=reasons,
        bundle_name=bundle_name,
        bundle_version=bundle_version,
        usual_score=ALERT_SCORE,
        contributions={one.feature: one.contribution for one in reasons},
        features={one.feature: one.value for one in reasons},
    )


def severity(score: float) -> Severity:
    """Return how severe a shock is: medium, high from 1.5 and critical from 2 times what alerts.

    >>> severity(1.2), severity(1.5), severity(2.3)
    ('medium', 'high', 'critical')
    """
    if score >= 2.0:
        return "critical"
    return "high" if score >= 1.5 else "medium"
