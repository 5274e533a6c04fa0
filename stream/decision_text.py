"""A decision on an application as a person reads it in a terminal."""

from datetime import UTC, datetime

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from schemas.decision import Decision
from schemas.decision_reason import DecisionReason
from stream.alert_text import printable

_STYLES = {"approve": "green", "review": "yellow", "decline": "red"}


def decision_text(decision: Decision) -> Group:
    """Return two paragraphs: what was decided of whom, and why it is no better.

    Names in them come from strangers, and cannot steer a terminal.
    """
    when = datetime.fromtimestamp(decision.event_time_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
    points = "" if decision.points is None else f"  {decision.points} points"
    loss = "" if decision.expected_loss is None else f"  expected loss {decision.expected_loss:,.2f}"
    decided = Text.assemble(
        (f"{decision.outcome:7}", _STYLES[decision.outcome]),
        f" {decision.probability:.3f}  {when}  applicant {printable(decision.applicant_id)}",
        f"  application {printable(decision.application_id)}{points}{loss}",
    )
    why = Text(printable("; ".join(reason_text(one) for one in decision.reasons)), style="dim")
    return Group(decided, Padding(why, (0, 0, 0, 8), expand=False)) if decision.reasons else Group(decided)


def reason_text(reason: DecisionReason) -> str:
    """Return a reason in words.

    >>> reason_text(DecisionReason("AGE", "age", "19", points=10, best_points=25))
    'AGE (age 19: 10 of 25 points)'
    >>> reason_text(DecisionReason("AGE", "age", "19", usual_value="40", contribution=0.04))
    'AGE (age 19, usually 40: +0.040)'
    """
    if reason.contribution is None:
        return f"{reason.code} ({reason.column} {reason.value}: {reason.points} of {reason.best_points} points)"
    return f"{reason.code} ({reason.column} {reason.value}, usually {reason.usual_value}: +{reason.contribution:.3f})"
