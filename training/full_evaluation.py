"""All that is found out about scores on rows that they were not learnt from: measures, curves, drift, fairness, slices.

It is made from plain columns, of transactions or of any table, and holds no row of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from risk.decision import Thresholds
from risk.manifest import Costs
from training.bootstrap import REPLICATES, Interval, bootstrap_intervals
from training.card_precision import card_days, precision_at_k
from training.curves import (
    Curve,
    Histogram,
    Reliability,
    gains_curve,
    precision_recall_curve,
    reliability,
    roc_curve,
    score_histogram,
)
from training.drift import Drift, drift, population_stability
from training.fairness import Group, fairness
from training.importance import Importance, permutation_importance
from training.learning_curve import LearningPoint
from training.measures import (
    auc,
    average_precision,
    brier,
    calibration_bins,
    calibration_error,
    cuts,
    gini,
    kolmogorov_smirnov,
    mean,
    precision_and_recall,
)
from training.prequential import Prequential
from training.row_costs import row_costs
from training.slices import Slice, worst_slices

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Track = Callable[[str, int], Callable[[], None]]
"""Is told a stage and its number of steps when it begins, and returns what is called after each step."""

COST_ROWS = 1000.0


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is evaluated, in words for a reader.

    `positive` is what a target is, such as "fraud" or "default = 1"; `drawn` what a bootstrap draws, "customers" or
    "rows". `form` is what the bundle consists of; `ranks` says that scores are no probabilities, as the model saw no
    target. `costs_in` is the unit of costs, `limits` are sentences on what the figures do not tell. `train_command`
    made the bundle, `evaluate_command` the evaluation; `trained_on` and `tested_on` say which rows.
    """

    name: str
    version: str
    model: str
    form: str
    ranks: bool
    positive: str
    drawn: str
    features: tuple[str, ...]
    costs_in: str
    limits: tuple[str, ...]
    trained_on: str
    tested_on: str
    train_command: str
    evaluate_command: str
    library_versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns to evaluate: of n test rows, and of m training rows for comparison.

    `score` float64[n] is in 0 to 1, `target` bool[n]; features are raw, float64[n, F] and float64[m, F], NaN where
    missing. Rows of one `entity`, such as a customer, depend on each other; None says that all rows are independent.
    Costs need `amount` float64[n], card precision `entity` and `event_time_ns` int64[n]. `groups` are the columns by
    which fairness is asked, by name. `categories` are the names of the codes 0, 1, ... of each
    feature that is no number.
    """

    score: Floats
    target: Flags
    feature_names: Sequence[str]
    features: Floats
    train_score: Floats
    train_target: Flags
    train_features: Floats
    amount: Floats | None = None
    entity: Sequence[str] | None = None
    event_time_ns: npt.NDArray[np.int64] | None = None
    groups: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, as `evaluation.json` holds it. `entities` is None where rows are independent."""

    schema_version: Literal[1] = 1
    subject: Subject
    rows: int
    targets: int
    entities: int | None
    train_rows: int
    train_targets: int
    thresholds: Thresholds
    costs: Costs | None
    replicates: int
    seed: int
    measures: dict[str, Interval]
    roc: Curve
    precision_recall: Curve
    gains: Curve
    reliability: list[Reliability]
    histogram: Histogram
    importance: list[Importance]
    score_drift: Drift
    drift: list[Drift]
    fairness: dict[str, list[Group]]
    slices: list[Slice]
    learning_curve: list[LearningPoint]
    prequential: Prequential | None


def evaluate_in_full(
    columns: Columns,
    scorer: Callable[[Floats], Floats],
    subject: Subject,
    thresholds: Thresholds,
    costs: Costs | None,
    *,
    seed: int,
    replicates: int = REPLICATES,
    learning_curve: Sequence[LearningPoint] = (),
    prequential: Prequential | None = None,
    track: Track = lambda stage, steps: lambda: None,
) -> Evaluation:
    """Return the evaluation; `scorer` maps raw features float64[n, F] of the test rows, altered, to scores float64[n].

    `thresholds` decide which rows are flagged. Costs are told where there are `costs` and amounts. Raises ValueError
    for test rows without a target, or of targets alone.
    """
    targets = int(columns.target.sum())
    if not 0 < targets < len(columns.target):
        raise ValueError(f"{targets} targets in {len(columns.target)} test rows: both classes must occur")
    rows = np.arange(len(columns.target))
    names, entity = (None, rows) if columns.entity is None else _numbered(columns.entity)
    entities = len(rows) if names is None else names
    score, target = columns.score, columns.target
    measures = bootstrap_intervals(
        _measure(columns, entity, thresholds, costs),
        entities,
        seed=seed,
        replicates=replicates,
        on_replicate=track("intervals", replicates),
    )
    found = cuts(score, target, np.ones(len(rows)))
    return Evaluation(
        subject=subject,
        rows=len(rows),
        targets=targets,
        entities=names,
        train_rows=len(columns.train_target),
        train_targets=int(columns.train_target.sum()),
        thresholds=thresholds,
        costs=None if columns.amount is None else costs,
        replicates=replicates,
        seed=seed,
        measures=measures,
        roc=roc_curve(found),
        precision_recall=precision_recall_curve(found),
        gains=gains_curve(found),
        reliability=reliability(score, target, calibration_bins(score)),
        histogram=score_histogram(score, target),
        importance=permutation_importance(
            scorer,
            columns.features,
            target,
            columns.feature_names,
            seed=seed,
            on_feature=track("importance", len(columns.feature_names)),
        ),
        score_drift=population_stability("score", columns.train_score, score),
        drift=drift(columns.feature_names, columns.train_features, columns.features, columns.categories),
        fairness={
            name: fairness(
                score,
                target,
                score >= thresholds.review,
                values,
                entity,
                seed=seed,
                replicates=replicates,
                on_replicate=track(f"fairness by {name}", replicates),
            )
            for name, values in columns.groups.items()
        },
        slices=worst_slices(score, target, columns.features, columns.feature_names, entity, columns.categories),
        learning_curve=list(learning_curve),
        prequential=prequential,
    )


def _numbered(entity: Sequence[str]) -> tuple[int, npt.NDArray[np.int64]]:
    names, numbers = np.unique(np.array(entity, dtype=object), return_inverse=True)
    return len(names), numbers.astype(np.int64)


def _measure(
    columns: Columns, entity: npt.NDArray[np.int64], thresholds: Thresholds, costs: Costs | None
) -> Callable[[Floats], dict[str, float]]:
    """Return what gives every measure of the test rows, each weighing as often as its entity was drawn."""
    # In this order every replicate's sort is done before it begins.
    order = np.argsort(-columns.score, kind="stable")
    score, target, of_entity = columns.score[order], columns.target[order], entity[order]
    bin_of = calibration_bins(score)
    flagged = score >= thresholds.review
    cards = None
    if columns.entity is not None and columns.event_time_ns is not None:
        cards = card_days(columns.score, columns.target, entity, columns.event_time_ns)
    cost = unflagged = None
    if columns.amount is not None and costs is not None:
        amount = columns.amount[order]
        cost = row_costs(score, target, amount, thresholds, costs)
        unflagged = np.where(target, amount * costs.missed_fraud_fraction, 0.0)

    def measure(drawn: Floats) -> dict[str, float]:
        weight = drawn[of_entity]
        found = cuts(score, target, weight)
        precision, recall = precision_and_recall(flagged, target, weight)
        area = auc(found)
        measures = {
            "auc": area,
            "gini": gini(area),
            "ks": kolmogorov_smirnov(found),
            "average_precision": average_precision(found),
        }
        if cards is not None:
            measures["card_precision_at_100"] = precision_at_k(cards, drawn)
        measures |= {
            "brier": brier(score, target, weight),
            "calibration_error": calibration_error(score, target, weight, bin_of),
            "base_rate": mean(target.astype(np.float64), weight),
            "flagged_rate": mean(flagged.astype(np.float64), weight),
            "precision": precision,
            "recall": recall,
        }
        if cost is not None and unflagged is not None:
            spent, lost = mean(cost, weight), mean(unflagged, weight)
            measures["cost_per_1000"] = COST_ROWS * spent
            measures["savings"] = 1.0 - spent / lost if lost > 0.0 else np.nan
        return measures

    return measure
