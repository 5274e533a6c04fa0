from rich.console import Console

from schemas.decision import Decision
from schemas.decision_reason import DecisionReason
from schemas.source import Source
from stream.decision_text import decision_text


def shown(applicant_id: str = "p1", points: int | None = 480, expected_loss: float | None = 1234.5) -> str:
    """Return a decision as it is printed."""
    decision = Decision(
        schema_version=1,
        decision_id="d",
        application_id="a1",
        applicant_id=applicant_id,
        event_time_ns=1_767_225_600_000_000_000,
        source=Source("applications", 0, 1),
        probability=0.6,
        points=points,
        outcome="decline",
        expected_loss=expected_loss,
        threshold=0.5,
        reasons=(DecisionReason("AGE", "age", "19", points=10, best_points=25),),
        bundle_name="loans",
        bundle_version="0123456789ab",
    )
    console = Console(width=160)
    with console.capture() as capture:
        console.print(decision_text(decision), highlight=False)
    return capture.get()


def test_a_decision_says_what_of_whom_and_why() -> None:
    """Outcome, probability, applicant, points and loss stand in the first line, the reasons in the second."""
    first, second = shown().splitlines()
    assert " ".join(first.split()) == (
        "decline 0.600 2026-01-01 00:00:00 applicant p1 application a1 480 points expected loss 1,234.50"
    )
    assert second.strip() == "AGE (age 19: 10 of 25 points)"


def test_what_is_not_known_is_not_shown() -> None:
    """Without a scorecard there are no points, and without loss terms no loss."""
    assert "points  expected" not in shown(points=None)
    assert "expected loss" not in shown(expected_loss=None)


def test_a_name_cannot_steer_the_terminal() -> None:
    """Control characters and markup from strangers are shown, not obeyed."""
    found = shown("\x1b[2J[red]p")
    assert "\x1b" not in found
    assert "[red]p" in found
