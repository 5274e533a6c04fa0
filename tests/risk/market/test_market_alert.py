import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.identity import alert_id
from risk.market.alert_rules import BAR_CODES, AlertCode
from risk.market.market_alert import market_alert, market_reason, severity
from risk.market.market_reason_text import REASON_FEATURES
from schemas.alert import Alert
from schemas.source import Source

SOURCE = Source("ticks", 2, 77)
CODES: tuple[AlertCode, ...] = (*BAR_CODES, "STALE_FEED")


def alert_of(*scores: float) -> Alert:
    """Return the alert of a bar of which some measures are so many times what is allowed."""
    reasons = [market_reason(code, 3.0, 2.0, score) for code, score in zip(CODES, scores, strict=False)]
    return market_alert(
        reasons,
        event_id="EURUSD@5",
        symbol="EURUSD",
        event_time_ns=5,
        source=SOURCE,
        bundle_name="fx",
        bundle_version="0123456789ab",
    )


@given(st.lists(st.floats(1.0, 1e9), min_size=1, max_size=len(CODES)))
def test_contributions_add_up_to_the_score(scores: list[float]) -> None:
    """The usual score and what each reason contributes are the score, which is never below the threshold."""
    alert = alert_of(*scores)
    assert alert.score == pytest.approx(alert.usual_score + sum(alert.contributions.values()))
    assert alert.score >= alert.threshold == 1.0
    assert alert.severity == severity(alert.score)
    assert alert.contributions == {one.feature: one.contribution for one in alert.reasons}


def test_an_alert_tells_all_that_it_is_of() -> None:
    """Symbol, event, place in the log and bundle are those of the bar; the id depends on them alone."""
    alert = alert_of(1.25, 2.0)
    assert (alert.entity_kind, alert.entity_id, alert.event_id, alert.event_time_ns) == (
        "symbol",
        "EURUSD",
        "EURUSD@5",
        5,
    )
    assert (alert.source, alert.bundle_name, alert.bundle_version) == (SOURCE, "fx", "0123456789ab")
    assert alert.alert_id == alert_id("EURUSD@5", "EURUSD", "0123456789ab") == alert_of(9.0).alert_id
    assert (alert.score, alert.severity, alert.outcome) == (2.25, "critical", "review")
    assert alert.features == {"loss_percent": 3.0, "standardised_residual": 3.0}


@pytest.mark.parametrize("code", CODES)
def test_every_measure_has_a_name_and_words(code: AlertCode) -> None:
    """A reason tells its value and the usual one, and contributes what is beyond the limit."""
    reason = market_reason(code, 3.0, 2.0, 1.75)
    assert (reason.code, reason.feature, reason.value, reason.usual_value) == (code, REASON_FEATURES[code], 3.0, 2.0)
    assert reason.contribution == 0.75
    assert reason.text


@given(st.floats(1.0, 1e9), st.floats(1.0, 1e9))
def test_severity_rises_with_the_score(one: float, other: float) -> None:
    """What is worse is never called less severe."""
    order = ("medium", "high", "critical")
    low, high = sorted((one, other))
    assert order.index(severity(low)) <= order.index(severity(high))
