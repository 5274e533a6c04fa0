"""An alert on a closed curve as the message that is published."""

from risk.market.market_alert import ALERT_THRESHOLD, severity
from risk.rates.closed_curves import ClosedCurves
from risk.rates.curve_identity import curve_event_id
from schemas.alert import Alert
from schemas.reason import Reason
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
        threshold=ALERT_THRESHOLD,
        outcome="review",
        severity=severity(score),
        reasons=reasons,
        bundle_name=bundle_name,
        bundle_version=bundle_version,
        usual_score=ALERT_THRESHOLD,
        contributions={one.feature: one.contribution for one in reasons},
        features={one.feature: one.value for one in reasons},
    )
