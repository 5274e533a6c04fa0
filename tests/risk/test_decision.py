"""What a score means."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.decision import APPROVE, DECLINE, OUTCOMES, REVIEW, SEVERITIES, Thresholds, decide, severity

UNIT = st.floats(0.0, 1.0)
THRESHOLDS = st.tuples(UNIT, UNIT).map(lambda pair: Thresholds(review=min(pair), decline=max(pair)))


def one_outcome(score: float, thresholds: Thresholds) -> str:
    """Return the outcome of one score, the slow way."""
    if score >= thresholds.decline:
        return "decline"
    return "review" if score >= thresholds.review else "approve"


def one_severity(score: float, thresholds: Thresholds) -> str:
    """Return the severity of one score, the slow way."""
    outcome = one_outcome(score, thresholds)
    if outcome == "decline":
        # Nearer to certainty than to the threshold.
        return "critical" if score >= (1.0 + thresholds.decline) / 2.0 else "high"
    return {"approve": "low", "review": "medium"}[outcome]


@given(scores=st.lists(UNIT, max_size=20), thresholds=THRESHOLDS)
def test_outcome_and_severity_follow_the_thresholds(scores: list[float], thresholds: Thresholds) -> None:
    """Each score gets the outcome and the severity that the rule gives it, the thresholds themselves included."""
    tried = [*scores, thresholds.review, thresholds.decline, 0.0, 1.0]
    array = np.array(tried)
    assert [OUTCOMES[code] for code in decide(array, thresholds)] == [one_outcome(s, thresholds) for s in tried]
    assert [SEVERITIES[code] for code in severity(array, thresholds)] == [one_severity(s, thresholds) for s in tried]


@given(scores=st.lists(UNIT, min_size=2, max_size=20), thresholds=THRESHOLDS)
def test_a_higher_score_is_never_milder(scores: list[float], thresholds: Thresholds) -> None:
    """Outcome and severity rise with the score."""
    array = np.sort(np.array(scores))
    assert np.all(np.diff(decide(array, thresholds).astype(int)) >= 0)
    assert np.all(np.diff(severity(array, thresholds).astype(int)) >= 0)


def test_codes_name_their_outcomes() -> None:
    """A code is the index of its outcome."""
    assert [OUTCOMES[code] for code in (APPROVE, REVIEW, DECLINE)] == ["approve", "review", "decline"]


@pytest.mark.parametrize(("review", "decline"), [(0.9, 0.5), (-0.1, 0.5), (0.5, 1.1), (float("nan"), 0.5)])
def test_thresholds_out_of_order_or_range_are_refused(review: float, decline: float) -> None:
    """Thresholds say which value is wrong and what is needed."""
    with pytest.raises(ValueError, match="need 0 <= review <= decline <= 1"):
        Thresholds(review=review, decline=decline)
