"""An alert as a person reads it in a terminal."""

from datetime import UTC, datetime

from rich.markup import escape

from schemas.alert import Alert

SEVERITY_STYLES = {"low": "cyan", "medium": "yellow", "high": "red", "critical": "bold red"}


def alert_text(alert: Alert) -> str:
    """Return two lines of rich markup: what was decided of whom, and why; every value in it is escaped."""
    when = datetime.fromtimestamp(alert.event_time_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    style = SEVERITY_STYLES[alert.severity]
    reasons = "; ".join(
        f"{reason.code} ({reason.feature} {reason.value:,.4g}, usually {reason.usual_value:,.4g})"
        for reason in alert.reasons
    )
    return (
        f"[{style}]{alert.outcome:7}[/] {alert.score:.3f}  {when}  {alert.entity_kind} {escape(alert.entity_id)}"
        f"  event {escape(alert.event_id)}\n        [dim]{escape(reasons) or 'no single feature stands out'}[/]"
    )
