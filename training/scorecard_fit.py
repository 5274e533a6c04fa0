"""Turns a logistic regression on weights of evidence into a scorecard."""

import numpy as np

from risk.scorecard import Characteristic, PointsBin, Scorecard
from training import recipe as plans
from training.steps.weight_of_evidence import Bin, WeightOfEvidence
from training.table_fit import FittedTable


def scorecard_of(fitted: FittedTable, scale: plans.Scorecard) -> Scorecard:
    """Return the points of every bin on the scale, rounded to whole ones, the offset shared out equally.

    Siddiqi (2006), chapter 6. `fitted` is of one step, weight of evidence on all columns, and a logistic regression.
    """
    (evidence,) = (step for step in fitted.steps if isinstance(step, WeightOfEvidence))
    weights = fitted.classifier.estimator.coef_[0]
    intercept = float(fitted.classifier.estimator.intercept_[0])
    card = Scorecard(scale.base_points, scale.base_odds, scale.points_to_double, ())
    share = (card.offset - intercept * card.factor) / len(weights)
    characteristics = tuple(
        Characteristic(
            column.name,
            tuple(_points(one, round(share - float(weight) * one.woe * card.factor)) for one in bins),
            round(share),
        )
        for column, weight, bins in zip(fitted.columns, weights, evidence.bins, strict=True)
    )
    return Scorecard(scale.base_points, scale.base_odds, scale.points_to_double, characteristics)


def _points(one: Bin, given: int) -> PointsBin:
    missing = bool(np.isnan(one.low))
    low = None if missing or np.isinf(one.low) else one.low
    high = None if missing or np.isinf(one.high) else one.high
    return PointsBin(one.label, low, high, missing, given)
