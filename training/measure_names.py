"""What each measure of an evaluation is called, and what it says, for readers."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class MeasureName:
    """A measure's name, one sentence on it, and the number of decimals that it is shown with."""

    label: str
    says: str
    decimals: int = 3


MEASURES: Mapping[str, MeasureName] = {
    "auc": MeasureName("AUC", "The chance that a target scores above another row; 0.5 is chance."),
    "gini": MeasureName("Gini", "2 AUC - 1."),
    "ks": MeasureName("KS", "The greatest distance between the distributions of targets' and others' scores."),
    "average_precision": MeasureName("Average precision", "Precision averaged over recall; chance is the base rate."),
    "card_precision_at_100": MeasureName(
        "Card precision@100", "Of the 100 most suspicious cards a day, the share that was compromised."
    ),
    "brier": MeasureName("Brier score", "The mean squared error of the score as a probability; 0 is best.", 5),
    "calibration_error": MeasureName(
        "Calibration error", "The mean distance of score and observed rate, in bins of equal counts; 0 is best.", 5
    ),
    "base_rate": MeasureName("Base rate", "The share of targets.", 4),
    "flagged_rate": MeasureName("Flagged", "The share of rows that reach the threshold of review.", 4),
    "precision": MeasureName("Precision", "The share of targets among flagged rows."),
    "recall": MeasureName("Recall", "The share of targets that are flagged."),
    "cost_per_1000": MeasureName("Cost per 1,000 rows", "Of missed targets, reviews and wrong declines.", 2),
    "savings": MeasureName("Savings", "The share of the cost of flagging nothing that is saved."),
    "flagged_ratio": MeasureName("Flagged ratio", "The flagged rate over that of the largest group.", 2),
    "true_positive_rate": MeasureName("True positives", "The share of targets that are flagged."),
    "false_positive_rate": MeasureName("False positives", "The share of other rows that are flagged.", 4),
    "calibration_gap": MeasureName("Calibration gap", "The mean score less the base rate.", 4),
}
"""Every measure of `training/full_evaluation.py` and `training/fairness.py`, by its key there."""


def shown(name: str, interval: Interval) -> tuple[str, str, str]:
    """Return the estimate and the bounds of a measure as texts.

    >>> shown("auc", Interval(0.86512, 0.84, 0.89))
    ('0.865', '0.840', '0.890')
    """
    decimals = MEASURES[name].decimals
    estimate, low, high = (f"{value:,.{decimals}f}" for value in (interval.estimate, interval.low, interval.high))
    return estimate, low, high


def bounded(name: str, measures: Mapping[str, Interval]) -> str:
    """Return a measure with its bounds as one text, a dash where it is not defined.

    >>> bounded("auc", {"auc": Interval(0.86512, 0.84, 0.89)}), bounded("auc", {})
    ('0.865 (0.840 to 0.890)', '-')
    """
    if name not in measures:
        return "-"
    estimate, low, high = shown(name, measures[name])
    return f"{estimate} ({low} to {high})"
