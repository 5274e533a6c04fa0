import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.portfolios.portfolio_alerts import LEAST_ALLOWED_PERCENT, MOST_REASONS, loss_finding
from risk.portfolios.portfolio_book import Forecast

losses = st.lists(st.tuples(st.floats(-10.0, 10.0), st.floats(0.01, 1.0)), min_size=1, max_size=9)


@given(losses, st.floats(0.01, 20.0))
def test_contributions_add_up_to_what_is_beyond_the_usual(rows: list[tuple[float, float]], allowed: float) -> None:
    """The score is the loss in units of the value at risk, and the symbols' parts are all of it beyond 1."""
    total = sum(share for _, share in rows)
    symbols = [f"s{at}" for at in range(len(rows))]
    forecast = Forecast("normal", 100.0, (allowed,), (allowed,), tuple(share / total for _, share in rows))
    finding = loss_finding(symbols, [loss for loss, _ in rows], forecast, allowed)
    assert finding.score == pytest.approx(sum(loss for loss, _ in rows) / allowed, abs=1e-9)
    assert sum(finding.contributions.values()) == pytest.approx(finding.score - finding.usual_score, abs=1e-6)
    worst = sorted((part for part in finding.contributions.values() if part > 0.0), reverse=True)
    assert [reason.contribution for reason in finding.reasons] == worst[:MOST_REASONS]
    assert finding.features == {symbol: loss for symbol, (loss, _) in zip(symbols, rows, strict=True)}


@pytest.mark.parametrize("allowed", [0.0, -3.0])
def test_a_loss_where_none_was_expected_has_a_score(allowed: float) -> None:
    """Without any risk, or where even the value at risk was a gain, a loss is held against a least allowance."""
    forecast = Forecast("normal", 100.0, (allowed,), (allowed,), (0.0,))
    finding = loss_finding(["A"], [0.5], forecast, allowed)
    assert finding.score == 0.5 / LEAST_ALLOWED_PERCENT
    assert (finding.usual_score, finding.contributions) == (0.0, {"A": finding.score})
