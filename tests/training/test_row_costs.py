import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.decision import Thresholds
from risk.manifest import Costs
from training.row_costs import row_costs
from training.thresholds import choose_thresholds

COSTS = Costs(review=5.0, declined_genuine=25.0, missed_fraud_fraction=0.8)
rows_of = st.lists(st.tuples(st.integers(0, 10), st.booleans(), st.floats(0.0, 1e4)), min_size=1, max_size=40)


def plain_cost(score: float, target: bool, amount: float, thresholds: Thresholds) -> float:
    """Return what one row costs, by cases."""
    if score >= thresholds.decline:
        return 0.0 if target else 25.0
    if score >= thresholds.review:
        return 5.0
    return 0.8 * amount if target else 0.0


@given(rows_of, st.integers(0, 10), st.integers(0, 10))
def test_each_row_costs_what_its_outcome_does(rows: list[tuple[int, bool, float]], one: int, other: int) -> None:
    """Approved, reviewed and declined rows, targets and others, scores that equal a threshold among them."""
    thresholds = Thresholds(review=min(one, other) / 10, decline=max(one, other) / 10)
    score, target, amount = (np.array(column) for column in zip(*rows, strict=True))
    found = row_costs(score / 10, target, amount, thresholds, COSTS)
    assert found.tolist() == pytest.approx([plain_cost(s / 10, t, a, thresholds) for s, t, a in rows])


def test_chosen_thresholds_cost_least() -> None:
    """The costs are those that the thresholds are chosen by: no other pair within the share costs less."""
    random = np.random.default_rng(3)
    target = random.random(150) < 0.15
    score = np.round(random.random(150) * 0.7 + 0.3 * target.astype(np.float64), 4)
    amount = random.gamma(2.0, 60.0, 150)
    chosen = choose_thresholds(score, target, amount, COSTS, review_share=0.4)
    total = row_costs(score, target, amount, chosen, COSTS).sum()
    cuts = np.unique(np.append(np.sort(score)[-60:], 1.0))
    others = [
        row_costs(score, target, amount, Thresholds(float(review), float(decline)), COSTS).sum()
        for review in cuts
        for decline in cuts
        if review <= decline and (score >= review).sum() <= 60
    ]
    assert total == pytest.approx(min(others))
