"""Evaluates a bundle on a history, by the scores that a worker would give."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from risk.bundle import Bundle
from training.bootstrap import REPLICATES
from training.features import named_features
from training.full_evaluation import Columns, Evaluation, Subject, Track, evaluate_in_full
from training.history import History
from training.learning_curve import FRACTIONS, learning_curve
from training.prequential import prequential
from training.refit import refitter
from training.time_split import Windows, split
from training.unlabelled import UNLABELLED

_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What to evaluate on, and how: `groups` are values for each transaction of the history, by their column's name.

    `folds` 0 makes none; folds and the learning curve fit the bundle's kind of model anew.
    """

    windows: Windows
    groups: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    folds: int = 0
    with_learning_curve: bool = False
    replicates: int = REPLICATES
    seed: int = 0


def evaluate_bundle(
    bundle: Bundle,
    history: History,
    plan: EvaluationPlan,
    *,
    command: str,
    on_features: Callable[[int], None] = lambda rows: None,
    track: Track = lambda stage, steps: lambda: None,
) -> Evaluation:
    """Return the evaluation of a bundle on the test window, with the training window to compare.

    Raises SplitError for windows or folds that the history cannot fill. `on_features` is told of rows as
    `transaction_features` does, `track` of the rest.
    """
    manifest = bundle.manifest
    parts = split(history, plan.windows)
    features = named_features(history, manifest.features, on_features)
    train, test = parts.train, parts.test

    def score(rows: npt.NDArray[np.int64], raw: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return bundle.scorer.score(bundle.normaliser().advance(raw, history.event_time_ns[rows]))

    refit = refitter(
        features,
        history.fraud,
        history.event_time_ns,
        manifest.model,
        normaliser=manifest.normaliser.kind,
        half_life_days=manifest.normaliser.half_life_days,
        seed=plan.seed,
    )
    folds = None
    if plan.folds:
        folds = prequential(history, refit, plan.windows, plan.folds, track("folds", plan.folds))
    curve = []
    if plan.with_learning_curve:
        curve = learning_curve(refit, history.fraud, train, test, track("learning curve", len(FRACTIONS)))
    at = test.tolist()
    return evaluate_in_full(
        Columns(
            score=score(test, features[test]),
            target=history.fraud[test],
            feature_names=manifest.features,
            features=features[test],
            train_score=score(train, features[train]),
            train_target=history.fraud[train],
            train_features=features[train],
            amount=history.amount[test],
            entity=[history.customer_id[row] for row in at],
            event_time_ns=history.event_time_ns[test],
            groups={name: [values[row] for row in at] for name, values in plan.groups.items()},
        ),
        lambda raw: score(test, raw),
        _subject(bundle, plan.windows, command),
        manifest.thresholds,
        manifest.costs,
        seed=plan.seed,
        replicates=plan.replicates,
        learning_curve=curve,
        prequential=folds,
        track=track,
    )


def _subject(bundle: Bundle, windows: Windows, command: str) -> Subject:
    manifest = bundle.manifest
    return Subject(
        name=manifest.name,
        version=bundle.version,
        model=manifest.model,
        form="an ONNX graph and a normaliser, in a bundle that is verified before it serves",
        ranks=manifest.model in UNLABELLED,
        positive="fraud",
        drawn="customers",
        features=manifest.features,
        costs_in=manifest.currency,
        limits=(
            "The intervals tell of other samples of this population, not of other times: frauds change.",
            "Targets are those that became known; a positive that nobody reported counts as none.",
        ),
        trained_on=f"transactions of {_days(windows.train_from, windows.train_to)}",
        tested_on=(
            f"transactions of {_days(windows.test_from, windows.test_to)}, without customers known to be compromised"
            f" {windows.delay_days} days before"
        ),
        train_command=manifest.command,
        evaluate_command=command,
        library_versions=manifest.library_versions,
    )


def _days(first: int, last: int) -> str:
    return f"{_EPOCH + timedelta(first)} to {_EPOCH + timedelta(last)}"
