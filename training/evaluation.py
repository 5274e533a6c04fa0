"""The figures by which training compares models: how well scores rank, and what a team would catch."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.card_precision import card_precision_at_k
from training.measures import auc, average_precision, cuts


def evaluate(
    score: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    customer_id: Sequence[str],
    event_time_ns: npt.NDArray[np.int64],
) -> dict[str, float]:
    """Return auc, average_precision and card_precision_at_100 of scores float64[n] for frauds bool[n]."""
    found = cuts(score, fraud, np.ones(len(score)))
    return {
        "auc": auc(found),
        "average_precision": average_precision(found),
        "card_precision_at_100": card_precision_at_k(score, fraud, customer_id, event_time_ns),
    }
