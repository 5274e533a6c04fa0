import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from training.card_precision import card_days, card_precision_at_k, precision_at_k
from training.evaluation import evaluate
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


@given(rows, st.integers(1, 5), st.lists(st.integers(0, 3), min_size=8, max_size=8))
def test_copies_are_cards_of_their_own(rows: list[tuple[int, str, int, bool]], k: int, copies: list[int]) -> None:
    """A card drawn thrice counts as three cards of the same rows: what a bootstrap of cards needs."""
    copied = [
        (day, f"{card}{copy}", score, fraud)
        for day, card, score, fraud in rows
        for copy in range(copies["abcdefgh".index(card)])
    ]
    day, card, score, fraud = zip(*rows, strict=True)
    number = np.array(["abcdefgh".index(one) for one in card])
    of = card_days(np.array(score) / 10, np.array(fraud), number, DAY_NS * np.array(day))
    # A day whose cards were not drawn has no rows in the plain twin; it is a day nevertheless.
    days = len(set(day))
    expected = plain_card_precision(copied, k) * len({row[0] for row in copied}) / days if copied else 0.0
    assert precision_at_k(of, np.array(copies, dtype=np.float64), k) == pytest.approx(expected, abs=1e-12)


def test_training_compares_models_by_three_figures() -> None:
    """AUC and average precision are scikit-learn's; of 100 cards looked at, the one there is was compromised."""
    draw = np.random.default_rng(3)
    fraud = draw.random(400) < 0.2
    score = np.round(draw.random(400) * 0.7 + 0.3 * fraud.astype(np.float64), 2)
    figures = evaluate(score, fraud, ["card"] * 400, np.zeros(400, np.int64))
    assert figures == {
        "auc": pytest.approx(roc_auc_score(fraud, score)),
        "average_precision": pytest.approx(average_precision_score(fraud, score)),
        "card_precision_at_100": 0.01,
    }
