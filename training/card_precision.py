"""Card precision@k: what a team that looks at k cards a day would catch (Le Borgne et al. 2022, chapter 4.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.history import DAY_NS

CARDS_PER_DAY = 100


@dataclass(frozen=True, slots=True)
class CardDays:
    """Each UTC day's cards, the most suspicious first, and whether the card was compromised that day."""

    days: list[list[tuple[int, bool]]]


def card_days(
    score: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    card: npt.NDArray[np.int64],
    event_time_ns: npt.NDArray[np.int64],
) -> CardDays:
    """Return the days with their cards, `card` int64[n] from 0; a card's score is its greatest of the day.

    Ties go by the card's number, so that the figure does not depend on the order of rows.
    """
    day = event_time_ns // DAY_NS
    found, at = np.unique(np.stack([day, card]), axis=1, return_inverse=True)
    best = np.full(found.shape[1], -np.inf)
    np.maximum.at(best, at, score)
    compromised = np.bincount(at, weights=target, minlength=found.shape[1]) > 0.0
    order = np.lexsort((found[1], -best, found[0]))
    days: dict[int, list[tuple[int, bool]]] = {}
    for when, one, hit in zip(
        found[0][order].tolist(), found[1][order].tolist(), compromised[order].tolist(), strict=True
    ):
        days.setdefault(when, []).append((one, hit))
    return CardDays(list(days.values()))


def precision_at_k(of: CardDays, copies: npt.NDArray[np.float64], k: int = CARDS_PER_DAY) -> float:
    """Return the mean over days of the fraction of the k most suspicious cards that were compromised that day.

    Of each card there are `copies`, float64[cards]: one, or as often as a bootstrap drew it. A card found compromised
    is not looked at on later days; a day with fewer than k cards counts its missing ones as misses.
    """
    left = copies.tolist()
    precisions = []
    for day in of.days:
        room, hits = float(k), 0.0
        for card, compromised in day:
            looked_at = min(left[card], room)
            room -= looked_at
            if compromised:
                hits += looked_at
                left[card] -= looked_at
            if room == 0.0:
                break
        precisions.append(hits / k)
    return float(np.mean(precisions))


def card_precision_at_k(
    score: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    customer_id: Sequence[str],
    event_time_ns: npt.NDArray[np.int64],
    k: int = CARDS_PER_DAY,
) -> float:
    """Return `precision_at_k` of one card for each customer; ties go by the customer's name.

    >>> days = np.array([0, 0, DAY_NS])
    >>> card_precision_at_k(np.array([0.9, 0.1, 0.8]), np.array([True, False, True]), ["a", "b", "a"], days, k=1)
    0.5
    """
    cards, card = np.unique(np.array(customer_id, dtype=object), return_inverse=True)
    return precision_at_k(card_days(score, target, card, event_time_ns), np.ones(len(cards)), k)
