import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.decision import APPROVE, DECLINE, REVIEW, Thresholds, decide
from risk.manifest import Costs
from training.thresholds import choose_thresholds

events = st.lists(
    st.tuples(st.integers(0, 10**6), st.booleans(), st.integers(0, 500)),
    min_size=1,
    max_size=40,
    unique_by=lambda e: e[0],
)
costs = st.builds(
    Costs,
    review=st.floats(0.1, 20.0),
    declined_genuine=st.floats(0.1, 100.0),
    missed_fraud_fraction=st.floats(0.0, 1.0),
)


def cost_of(
    thresholds: Thresholds, score: np.ndarray, fraud: np.ndarray, amount: np.ndarray, costs: Costs
) -> tuple[float, int]:
    """Return what decisions by the thresholds cost, event by event, and how many events they flag."""
    outcome = decide(score, thresholds)
    total = 0.0
    for at in range(len(score)):
        if outcome[at] == APPROVE and fraud[at]:
            total += amount[at] * costs.missed_fraud_fraction
        elif outcome[at] == REVIEW:
            total += costs.review
        elif outcome[at] == DECLINE and not fraud[at]:
            total += costs.declined_genuine
    return total, int((outcome != APPROVE).sum())


@given(events, costs, st.floats(0.05, 1.0))
def test_no_other_thresholds_cost_less(events: list[tuple[int, bool, int]], costs: Costs, share: float) -> None:
    """Of all pairs of thresholds that keep within the share, none is cheaper, event by event."""
    score = np.array([one[0] / 10**6 for one in events])
    fraud = np.array([one[1] for one in events])
    amount = np.array([float(one[2]) for one in events])
    limit = max(1, int(share * len(score)))
    chosen = choose_thresholds(score, fraud, amount, costs, share)
    cost, flagged = cost_of(chosen, score, fraud, amount, costs)
    assert flagged <= limit
    edges = [*score.tolist(), 1.0]
    for review in edges:
        for decline in edges:
            # A score of 1 cannot be approved by any threshold, so it is left out of the comparison.
            if review <= decline and score.max() < 1.0:
                other, others_flagged = cost_of(Thresholds(review, decline), score, fraud, amount, costs)
                assert others_flagged > limit or other >= cost - 1e-9


def test_equal_scores_are_decided_alike() -> None:
    """Ties can exceed the share, but thresholds stay usable and in order."""
    score = np.full(50, 0.5)
    costs = Costs(review=1.0, declined_genuine=10.0, missed_fraud_fraction=1.0)
    chosen = choose_thresholds(score, np.arange(50) % 2 == 0, np.full(50, 100.0), costs, review_share=0.1)
    assert 0.0 <= chosen.review <= chosen.decline <= 1.0
