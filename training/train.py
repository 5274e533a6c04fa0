"""From a history to a bundle: features, a split in time, models, the parity gate, thresholds, golden rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from risk.bundle import FEATURES, normaliser_from, state_versions
from risk.customer_profile import CUSTOMER_FEATURES
from risk.manifest import Costs, Manifest, Model, NormaliserStatistics, TrainingWindow
from risk.merchant_profile import MERCHANT_FEATURES
from risk.normaliser import running_moments
from risk.reasons import reason_code
from risk.scorer import Scorer
from risk.table_columns import TableColumn
from schemas.currency import CurrencyCode
from training.bundle_files import GOLDEN_ROWS, golden_of, write_bundle
from training.evaluation import evaluate
from training.explanation import explanation_files
from training.features import named_features
from training.history import DAY_NS, History
from training.history_search import search_history
from training.library_versions import library_versions
from training.normaliser_statistics import normaliser_statistics
from training.parity import check_export
from training.plan_search import Searched, SearchProgress
from training.recipe import Fitting, ModelPlan, Search, StepPlan
from training.reference import reference_of
from training.search_journal import Journal, history_bytes, journal_path
from training.table_data import TableData
from training.table_fit import fit_table, model_name
from training.table_parity import check_table_export
from training.thresholds import choose_thresholds
from training.time_split import Split, Windows, split

FEATURE_SETS: Mapping[str, tuple[str, ...]] = {
    "all": FEATURES,
    "handbook": (
        "amount",
        "is_weekend",
        "is_night",
        *(name for name in CUSTOMER_FEATURES if name.startswith(("customer_count", "customer_mean_amount"))),
        *(name for name in MERCHANT_FEATURES if name.startswith(("merchant_count", "merchant_fraud_rate"))),
    ),
}
"""Named sets of features: all of them, and the fifteen of the Fraud Detection Handbook's chapter 3."""

COSTS = Costs(review=5.0, declined_genuine=25.0, missed_fraud_fraction=1.0)
REVIEW_SHARE = 0.01
UNWEIGHTED = Fitting()


@dataclass(frozen=True, slots=True)
class Plan:
    """What to train: `models` are compared on the test window, and the one of best average precision is bundled.

    `reviews_per_day`, if given, takes the place of `review_share`: how many transactions may be flagged on a mean day.
    `half_life_days` None freezes the normaliser at the training statistics. `steps` prepare normalised features
    further, within the model's graph.
    """

    name: str
    windows: Windows
    models: tuple[ModelPlan, ...]
    features: tuple[str, ...] = FEATURES
    currency: CurrencyCode = "EUR"
    normaliser: Literal["zscore", "minmax"] = "zscore"
    half_life_days: float | None = None
    costs: Costs = COSTS
    review_share: float = REVIEW_SHARE
    reviews_per_day: int | None = None
    steps: tuple[StepPlan, ...] = ()
    fit: Fitting = UNWEIGHTED
    search: Search | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Trained:
    """What training gave: the bundle's folder, the model in it, and each model's figures on the test window."""

    folder: Path
    model: Model
    metrics: dict[str, dict[str, float]]
    train_rows: int
    test_rows: int
    search: Searched | None


def train(
    history: History,
    plan: Plan,
    *,
    root: Path,
    command: str,
    on_stage: Callable[[str], None] = lambda stage: None,
    on_features: Callable[[int], None] = lambda rows: None,
    before: Callable[[float], bool] = lambda share: True,
    on_search: Callable[[SearchProgress], None] = lambda progress: None,
) -> Trained:
    """Train, compare and write the bundle under `root`; the figures are those of the served artefact.

    Raises SplitError for windows that cannot be used, ParityError when an export differs from its original, and
    BundleError when the bundle would not open, SearchError for a search that the history does not allow. `on_stage` is
    told what begins; `before` and `on_search` belong to the search.
    """
    on_stage("features")
    features = named_features(history, plan.features, on_features)
    parts = split(history, plan.windows)
    statistics = normaliser_statistics(features[parts.train], plan.normaliser, plan.half_life_days)
    fitting = normaliser_from(_frozen(statistics))
    normalised = fitting.advance(features[parts.train], history.event_time_ns[parts.train])
    exports: dict[Model, bytes] = {}
    explanations: dict[Model, dict[str, bytes]] = {}
    metrics: dict[str, dict[str, float]] = {}
    learnt = TableData(
        tuple(TableColumn(name) for name in plan.features),
        normalised,
        history.fraud[parts.train],
        history.amount[parts.train],
        parts.train,
        (),
    )
    searched = None
    if plan.search is not None:
        on_stage("search")
        searched = search_history(
            history,
            features,
            plan.features,
            plan.windows,
            plan.models,
            plan.steps,
            plan.fit,
            plan.search,
            Journal(journal_path(root / plan.name, plan, history_bytes(history))),
            seed=plan.seed,
            before=before,
            on_progress=on_search,
        )
    for model_plan in plan.models if searched is None else searched.models:
        model = model_name(model_plan)
        on_stage(model)
        # The normaliser leaves no number beyond a bound, and no gap.
        fitted = fit_table(learnt, plan.steps, model_plan, plan.fit, seed=plan.seed, bounded=True)
        exports[model] = fitted.export()
        # Contributions of normalised features, through steps or a calibration, are found by scoring.
        plain = not fitted.steps and fitted.calibration is None
        explanations[model] = explanation_files(fitted.classifier) if plain else {}
        parity = (
            check_export(
                fitted.classifier, exports[model], statistics, features[parts.train], plan.features, seed=plan.seed
            )
            if plain
            else check_table_export(fitted, exports[model], normalised, seed=plan.seed)
        )
        score = _served(exports[model], statistics, features, history, parts.test)
        metrics[model] = evaluate(
            score,
            history.fraud[parts.test],
            history.customer_id.take(parts.test),
            history.event_time_ns[parts.test],
        ) | {"parity_max_difference": parity.max_difference}
    best = max(exports, key=lambda model: metrics[model]["average_precision"])
    on_stage("bundle")
    notes = () if searched is None else searched.notes
    manifest = _manifest(history, features, parts, plan, statistics, exports[best], best, metrics, notes, command)
    # The test window's first rows in order of time: what a worker will meet.
    golden_rows = np.sort(parts.test)[:GOLDEN_ROWS]
    folder = write_bundle(
        root,
        manifest,
        model=exports[best],
        golden=golden_of(exports[best], statistics, features[golden_rows], history.event_time_ns[golden_rows]),
        explanation=explanations[best],
    )
    return Trained(folder, best, metrics, len(parts.train), len(parts.test), searched)


def _flagged_share(event_time_ns: npt.NDArray[np.int64], plan: Plan) -> float:
    """Return the share of the transactions at these times that may be flagged, 0 to 1."""
    if plan.reviews_per_day is None:
        return plan.review_share
    days = len(np.unique(event_time_ns // DAY_NS))
    return min(1.0, plan.reviews_per_day * days / len(event_time_ns))


def _frozen(statistics: NormaliserStatistics) -> NormaliserStatistics:
    return NormaliserStatistics(statistics.kind, statistics.centre, statistics.scale, None)


def _served(
    model: bytes,
    statistics: NormaliserStatistics,
    features: npt.NDArray[np.float64],
    history: History,
    rows: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Return the scores of some transactions as a worker would give them, float64[n]."""
    in_time = np.argsort(rows, kind="stable")
    normalised = normaliser_from(statistics).advance(features[rows[in_time]], history.event_time_ns[rows[in_time]])
    score = np.empty(len(rows))
    score[in_time] = Scorer(model).score(normalised)
    return score


def _manifest(
    history: History,
    features: npt.NDArray[np.float64],
    parts: Split,
    plan: Plan,
    statistics: NormaliserStatistics,
    model: bytes,
    best: Model,
    metrics: dict[str, dict[str, float]],
    notes: tuple[str, ...],
    command: str,
) -> Manifest:
    # Thresholds belong to data that the model did not learn from; the test stays untouched where there is a choice.
    rows = parts.between if len(parts.between) else parts.test
    thresholds = choose_thresholds(
        _served(model, statistics, features, history, rows),
        history.fraud[rows],
        history.amount[rows],
        plan.costs,
        _flagged_share(history.event_time_ns[rows], plan),
    )
    genuine = parts.train[~history.fraud[parts.train]]
    usual = running_moments(features[genuine])[0]
    day = history.event_time_ns // DAY_NS
    # With those of compromised customers, which the test leaves out and a worker scores.
    tested = np.flatnonzero((day >= plan.windows.test_from) & (day <= plan.windows.test_to))
    return Manifest(
        name=plan.name,
        model=best,
        features=plan.features,
        state_versions=state_versions(),
        currency=plan.currency,
        normaliser=statistics,
        thresholds=thresholds,
        costs=plan.costs,
        reason_codes={name: reason_code(name) for name in plan.features},
        usual_values=dict(zip(plan.features, usual.tolist(), strict=True)),
        training_window=TrainingWindow(
            start_ns=plan.windows.train_from * DAY_NS,
            end_ns=(plan.windows.train_to + 1) * DAY_NS,
            label_delay_days=float(plan.windows.delay_days),
            transactions=len(parts.train),
            frauds=int(history.fraud[parts.train].sum()),
        ),
        reference=reference_of(plan.features, features[tested], _served(model, statistics, features, history, tested)),
        metrics=metrics,
        notes=notes,
        library_versions=library_versions(),
        command=command,
        files={},
    )
