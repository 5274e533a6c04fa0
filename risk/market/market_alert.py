"""The alert on a symbol: what it says of a bar, or of a feed that has gone silent."""

from collections.abc import Sequence

from risk.identity import alert_id
from risk.market.alert_rules import AlertCode
from risk.market.market_reason_text import REASON_FEATURES, market_reason_text
from schemas.alert import Alert
from schemas.reason import Reason
from schemas.severity import Severity
from schemas.source import Source

ALERT_THRESHOLD = 1.0
"""The score of a measure that is just at its limit, and so of an alert."""


def severity(score: float) -> Severity:
    """Return how severe an alert is: medium, high from 1.5 and critical from 2 times what is allowed.

    >>> severity(1.2), severity(1.5), severity(2.3)
    ('medium', 'high', 'critical')
    """
    if score >= 2.0:
        return "critical"
    return "high" if score >= 1.5 else "medium"


def market_reason(code: AlertCode, value: float, usual_value: float, score: float) -> Reason:
    """Return a measure that is `score` times its limit as a reason; it contributes what it is beyond the limit."""
    return Reason(
        code=code,
        feature=REASON_FEATURES[code],
        value=value,
        usual_value=usual_value,
        contribution=score - ALERT_THRESHOLD,
        text=market_reason_text(code, value, usual_value),
    )


def market_alert(
    reasons: Sequence[Reason],
    *,
    event_id: str,
    symbol: str,
    event_time_ns: int,
    source: Source,
    bundle_name: str,
    bundle_version: str,
) -> Alert:
    """Return the alert of an event of a symbol. Its score is 1 and what its reasons, one at least, are beyond 1."""
    contributions = {reason.feature: reason.contribution for reason in reasons}
    score = ALERT_THRESHOLD + sum(contributions.values())
    return Alert(
        schema_version=1,
        alert_id=alert_id(event_id, symbol, bundle_version),
        event_id=event_id,
        entity_kind="symbol",
        entity_id=symbol,
        event_time_ns=event_time_ns,
        source=source,
        score=score,
        threshold=ALERT_THRESHOLD,
        outcome="review",
        severity=severity(score),
        reasons=tuple(reasons),
        bundle_name=bundle_name,
        bundle_version=bundle_version,
        usual_score=ALERT_THRESHOLD,
        contributions=contributions,
        features={reason.feature: reason.value for reason in reasons},
    )
