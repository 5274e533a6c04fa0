import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation import card_precision_at_k, evaluate
from training.history import DAY_NS


def plain_card_precision(rows: list[tuple[int, str, int, bool]], k: int) -> float:
    """Return the mean of the days' precisions, as chapter 4.3 of the Handbook tells it: day, card, score, fraud."""
    known: list[str] = []
    precisions = []
    for day in sorted({day for day, *_ in rows}):
        cards = sorted({card for d, card, _, _ in rows if d == day and card not in known})
        best = {card: max(score for d, c, score, _ in rows if d == day and c == card) for card in cards}
        hit = {card: any(fraud for d, c, _, fraud in rows if d == day and c == card) for card in cards}
        top = sorted(cards, key=lambda card: best[card], reverse=True)[:k]
        detected = [card for card in top if hit[card]]
        known += detected
        precisions.append(len(detected) / k)
    return sum(precisions) / len(precisions)


rows = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from("abcdefgh"), st.integers(0, 5), st.booleans()), min_size=1, max_size=60
)


@given(rows, st.integers(1, 5))
def test_card_precision_is_the_handbooks(rows: list[tuple[int, str, int, bool]], k: int) -> None:
    """Each day's top cards are counted once, ties by name, and a card once found is out of later days."""
    day, card, score, fraud = zip(*rows, strict=True)
    times = DAY_NS * np.array(day) + np.arange(len(rows))
    found = card_precision_at_k(np.array(score) / 10, np.array(fraud), card, times, k)
    assert found == pytest.approx(plain_card_precision(rows, k), abs=1e-12)


def test_ranking_measures_are_their_definitions() -> None:
    """AUC is the chance that a fraud outranks a genuine one; average precision sums precision over recall steps."""
    draw = np.random.default_rng(3)
    fraud = draw.random(400) < 0.2
    score = np.round(draw.random(400) * 0.7 + 0.3 * fraud.astype(np.float64), 2)
    figures = evaluate(score, fraud, ["card"] * 400, np.zeros(400, np.int64))
    pairs = score[fraud][:, None] - score[~fraud][None, :]
    assert figures["auc"] == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)))
    average, recall_before = 0.0, 0.0
    for threshold in np.unique(score)[::-1]:
        flagged = score >= threshold
        recall = (flagged & fraud).sum() / fraud.sum()
        average += (recall - recall_before) * (flagged & fraud).sum() / flagged.sum()
        recall_before = recall
    assert figures["average_precision"] == pytest.approx(average)
    assert figures["card_precision_at_100"] == 0.01
