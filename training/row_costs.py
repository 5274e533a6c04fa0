"""What each row costs under a bundle's thresholds: the costs by which they were chosen, row by row."""

import numpy as np
import numpy.typing as npt

from risk.decision import APPROVE, DECLINE, REVIEW, Thresholds, decide
from risk.manifest import Costs


def row_costs(
    score: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    amount: npt.NDArray[np.float64],
    thresholds: Thresholds,
    costs: Costs,
) -> npt.NDArray[np.float64]:
    """Return the cost of each row, float64[n], in the amounts' currency.

    An approved target costs its amount times `missed_fraud_fraction`; a reviewed row costs `review`, and its target is
    caught; a declined row that is no target costs `declined_genuine` (Bahnsen et al. 2016, with reviews).

    >>> costs = Costs(review=5.0, declined_genuine=25.0, missed_fraud_fraction=1.0)
    >>> score, target = np.array([0.1, 0.5, 0.9]), np.array([True, True, False])
    >>> row_costs(score, target, np.full(3, 80.0), Thresholds(review=0.4, decline=0.8), costs).tolist()
    [80.0, 5.0, 25.0]
    """
    outcome = decide(score, thresholds)
    missed = np.where(target & (outcome == APPROVE), amount * costs.missed_fraud_fraction, 0.0)
    declined = np.where(~target & (outcome == DECLINE), costs.declined_genuine, 0.0)
    return missed + declined + np.where(outcome == REVIEW, costs.review, 0.0)
