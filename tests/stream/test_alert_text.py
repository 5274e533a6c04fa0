import io

from rich.console import Console

from schemas.alert import Alert
from schemas.reason import Reason
from schemas.source import Source
from stream.alert_text import alert_text


def shown(alert: Alert) -> str:
    """Return what a terminal of 200 columns shows."""
    console = Console(file=io.StringIO(), width=200)
    console.print(alert_text(alert), highlight=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def alert(entity_id: str, reasons: tuple[Reason, ...]) -> Alert:
    """Return an alert on a customer."""
    return Alert(
        schema_version=1,
        alert_id="a1",
        event_id="t[/dim]1",
        entity_kind="customer",
        entity_id=entity_id,
        event_time_ns=1_767_225_600_000_000_000,
        source=Source("transactions", 0, 7),
        score=0.9125,
        threshold=0.5,
        outcome="decline",
        severity="high",
        reasons=reasons,
        bundle_name="demo",
        bundle_version="0123456789ab",
    )


def test_an_alert_reads_as_a_decision_and_its_reasons() -> None:
    """Outcome, score, time, entity, event and each reason are shown."""
    reason = Reason("AMOUNT_UNUSUAL", "amount", 1234.5, 40.0, 0.4, "amount 1,234.50 EUR, usual 40.00")
    text = shown(alert("c1", (reason,)))
    assert text.startswith("decline 0.912  2026-01-01 00:00:00  customer c1  event t[/dim]1  \n        AMOUNT")
    assert "AMOUNT_UNUSUAL (amount 1,234.50 EUR, usual 40.00)" in text


def test_a_reason_without_words_is_told_by_its_numbers() -> None:
    """An alert of a release whose reasons had no text is shown too."""
    text = shown(alert("c1", (Reason("AMOUNT_UNUSUAL", "amount", 1234.5, 40.0, 0.4),)))
    assert "AMOUNT_UNUSUAL (amount 1,234, usually 40)" in text


def test_what_a_stranger_wrote_is_shown_as_it_is() -> None:
    """Neither markup nor an escape sequence in a name reaches the terminal as such."""
    assert "customer [bold]c[/] " in shown(alert("[bold]c[/]", ()))
    assert "customer c\\ " in shown(alert("c\\", ()))
    assert "customer \N{REPLACEMENT CHARACTER}[2Jc\N{REPLACEMENT CHARACTER}d " in shown(alert("\x1b[2Jc\rd", ()))


def test_an_alert_without_reasons_says_so() -> None:
    """No reason is told as such."""
    assert "no single feature stands out" in shown(alert("c1", ()))
