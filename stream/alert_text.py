"""An alert as a person reads it in a terminal."""

from datetime import UTC, datetime

from rich.text import Text

from schemas.alert import Alert

SEVERITY_STYLES = {"low": "cyan", "medium": "yellow", "high": "red", "critical": "bold red"}


def alert_text(alert: Alert) -> Text:
    """Return two lines: what was decided of whom, and why; names come from strangers, and cannot steer a terminal."""
    when = datetime.fromtimestamp(alert.event_time_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    reasons = "; ".join(
        f"{reason.code} ({reason.feature} {reason.value:,.4g}, usually {reason.usual_value:,.4g})"
        for reason in alert.reasons
    )
    return Text.assemble(
        (f"{alert.outcome:7}", SEVERITY_STYLES[alert.severity]),
        f" {alert.score:.3f}  {when}  {alert.entity_kind} {_printable(alert.entity_id)}",
        f"  event {_printable(alert.event_id)}\n        ",
        (_printable(reasons) or "no single feature stands out", "dim"),
    )


def _printable(name: str) -> str:
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
