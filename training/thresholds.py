"""Chooses the scores from which transactions are reviewed and declined: by cost, within what a team can review."""

import numpy as np
import numpy.typing as npt

from risk.decision import Thresholds
from risk.manifest import Costs

_CANDIDATES = 200


def choose_thresholds(
    score: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    amount: npt.NDArray[np.float64],
    costs: Costs,
    review_share: float,
) -> Thresholds:
    """Return the thresholds of least cost that flag at most `review_share` (0 to 1) of the transactions.

    An approved fraud costs its amount times `missed_fraud_fraction`; a reviewed transaction costs `review`, and its
    fraud is caught; a declined genuine one costs `declined_genuine`. Candidates are 200 quantiles of the scores in the
    flagged share. Scores and amounts float64[n], fraud bool[n], n >= 1.

    >>> score = np.linspace(0.0, 1.0, 101)
    >>> fraud = score > 0.985
    >>> costs = Costs(review=1.0, declined_genuine=50.0, missed_fraud_fraction=1.0)
    >>> choose_thresholds(score, fraud, np.full(101, 80.0), costs, review_share=0.05).decline > 0.98
    True
    """
    order = np.argsort(-score, kind="stable")
    score, fraud, amount = score[order], fraud[order], amount[order]
    # Position p stands for "flag the p highest scores": costs of each choice are differences of running sums.
    limit = max(1, int(review_share * len(score)))
    missed = np.concatenate(([0.0], np.cumsum(np.where(fraud, amount * costs.missed_fraud_fraction, 0.0))))
    genuine = np.concatenate(([0.0], np.cumsum(~fraud)))
    positions = np.unique(np.linspace(0, limit, _CANDIDATES).astype(np.int64))
    declined, flagged = np.meshgrid(positions, positions, indexing="ij")
    cost = (
        costs.declined_genuine * genuine[declined]
        + costs.review * (flagged - declined)
        + (missed[-1] - missed[flagged])
    )
    cost[declined > flagged] = np.inf
    best = np.unravel_index(int(np.argmin(cost)), cost.shape)
    review, decline = (_threshold_after(score, int(one[best])) for one in (flagged, declined))
    return Thresholds(review=review, decline=max(review, decline))


def _threshold_after(descending: npt.NDArray[np.float64], position: int) -> float:
    """Return a threshold that the first `position` scores reach and the others do not, ties apart."""
    if position == 0:
        return float(min(1.0, np.nextafter(descending[0], 2.0)))
    following = descending[position] if position < len(descending) else 0.0
    return float((descending[position - 1] + following) / 2.0)
