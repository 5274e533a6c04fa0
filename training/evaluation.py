"""How good scores are: ranking measures, and what a team that looks at k cards a day would catch."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, roc_auc_score

from training.history import DAY_NS

CARDS_PER_DAY = 100


def card_precision_at_k(
    score: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    customer_id: Sequence[str],
    event_time_ns: npt.NDArray[np.int64],
    k: int = CARDS_PER_DAY,
) -> float:
    """Return the mean over UTC days of the fraction of the k most suspicious cards that were compromised that day.

    A card's score is its greatest of the day; a card found compromised is not looked at on later days. A day with
    fewer than k cards counts its missing ones as misses (Le Borgne et al. 2022, chapter 4.3).

    >>> days = np.array([0, 0, DAY_NS])
    >>> card_precision_at_k(np.array([0.9, 0.1, 0.8]), np.array([True, False, True]), ["a", "b", "a"], days, k=1)
    0.5
    """
    day = event_time_ns // DAY_NS
    found: set[str] = set()
    precisions = []
    for at in np.unique(day).tolist():
        best: dict[str, float] = {}
        compromised = set()
        for row in np.flatnonzero(day == at).tolist():
            card = customer_id[row]
            if card in found:
                continue
            best[card] = max(best.get(card, -1.0), float(score[row]))
            if fraud[row]:
                compromised.add(card)
        # Ties go by the card's name, so that the figure does not depend on the order of rows.
        looked_at = sorted(best, key=lambda card: (-best[card], card))[:k]
        hits = compromised.intersection(looked_at)
        found |= hits
        precisions.append(len(hits) / k)
    return float(np.mean(precisions))


def evaluate(
    score: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    customer_id: Sequence[str],
    event_time_ns: npt.NDArray[np.int64],
) -> dict[str, float]:
    """Return auc, average_precision and card_precision_at_100 of scores float64[n] for frauds bool[n]."""
    return {
        "auc": float(roc_auc_score(fraud, score)),
        "average_precision": float(average_precision_score(fraud, score)),
        "card_precision_at_100": card_precision_at_k(score, fraud, customer_id, event_time_ns),
    }
