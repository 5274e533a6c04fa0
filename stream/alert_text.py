"""An alert as a person reads it in a terminal."""

from datetime import UTC, datetime

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from schemas.alert import Alert

SEVERITY_STYLES = {"low": "cyan", "medium": "yellow", "high": "red", "critical": "bold red"}


def alert_text(alert: Alert, note: str = "") -> Group:
    """Return two paragraphs: what was decided of whom, with a note of ours, and why.

    Names in them come from strangers, and cannot steer a terminal.
    """
    when = datetime.fromtimestamp(alert.event_time_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    reasons = "; ".join(
        f"{reason.code} ({reason.text or f'{reason.feature} {reason.value:,.4g}, usually {reason.usual_value:,.4g}'})"
        for reason in alert.reasons
    )
    decision = Text.assemble(
        (f"{alert.outcome:7}", SEVERITY_STYLES[alert.severity]),
        f" {alert.score:.3f}  {when}  {alert.entity_kind} {printable(alert.entity_id)}",
        f"  event {printable(alert.event_id)}  ",
        (note, "green"),
    )
    why = Text(printable(reasons) or "no single feature stands out", style="dim")
    return Group(decision, Padding(why, (0, 0, 0, 8), expand=False))


def printable(name: str) -> str:
    """Return a name with what could steer a terminal replaced."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in name)
