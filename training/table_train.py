"""From a recipe and its table to a bundle: split, fit, parity gate, measures with intervals, cross-validation."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from risk.bundle import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE
from risk.golden import Golden, golden_bytes
from risk.manifest import Model
from risk.scorecard import Scorecard
from risk.scorer import Scorer
from risk.table_bundle import SCORECARD_FILE, LossTerms, TableManifest, open_table_bundle
from risk.table_columns import TableColumn
from training.bootstrap import Interval, bootstrap_intervals
from training.bundle_files import GOLDEN_ROWS, write_folder
from training.library_versions import library_versions
from training.plan_search import Searched, SearchProgress
from training.recipe import ModelPlan, Recipe
from training.recipe_split import recipe_split
from training.scorecard_fit import scorecard_of
from training.search_journal import Journal, journal_path, table_bytes
from training.table import Table
from training.table_data import TableData
from training.table_fit import FittedTable, fit_table, model_name
from training.table_measures import table_measures
from training.table_parity import check_table_export
from training.table_scores import served_scores
from training.table_search import search_table
from training.table_split import folds
from training.table_thresholds import TableThresholds, choose_table_thresholds, decision_costs


@dataclass(frozen=True, slots=True)
class TrainedTable:
    """What a recipe gave: the bundle's folder, the best model, and each model's figures.

    `test` maps a model to its measures on the test rows, with bootstrap intervals; `folds` to those of
    cross-validation, empty without. `notes` say what was left out of training, and what a search found.
    """

    folder: Path
    model: Model
    test: dict[Model, dict[str, Interval]]
    folds: dict[Model, dict[str, Interval]]
    train_rows: int
    test_rows: int
    notes: tuple[str, ...]
    scorecard: Scorecard | None
    search: Searched | None


def train_table(
    recipe: Recipe,
    table: Table,
    *,
    root: Path,
    command: str,
    on_stage: Callable[[str], None] = lambda stage: None,
    before: Callable[[float], bool] = lambda share: True,
    on_search: Callable[[SearchProgress], None] = lambda progress: None,
) -> TrainedTable:
    """Train every model of the recipe, compare them on the test rows, and write the best one's bundle under `root`.

    Where the recipe says so, each model's hyper-parameters are searched first, on the rows to train on: `search_table`,
    which `before` and `on_search` belong to, and whose journal lies in the folder of the bundle's name.

    The best has the greatest average precision in cross-validation, or without one on the test rows. All figures are
    those of the exported graph. Raises DataError, StepError or ValueError for what cannot be fitted, ParityError when
    an export differs from its original, BundleError when the bundle would not open, SearchError and JournalError for a
    search that cannot be made. `on_stage` is told what begins.
    """
    parts = recipe_split(recipe, table)
    data, order, train_rows, test_rows = parts.data, parts.order, parts.train, parts.test
    train, test = data.where(train_rows), data.where(test_rows)
    searched = None
    if recipe.search is not None:
        on_stage("search")
        within = None if order is None else order[train_rows]
        journal = Journal(journal_path(root / recipe.name, recipe, table_bytes(table)))
        searched = search_table(recipe, recipe.search, train, within, journal, before=before, on_progress=on_search)
    fits: dict[Model, tuple[FittedTable, bytes]] = {}
    measured: dict[Model, dict[str, Interval]] = {}
    crossed: dict[Model, dict[str, Interval]] = {}
    differences: dict[Model, float] = {}
    plans = {model_name(plan): plan for plan in (recipe.model if searched is None else searched.models)}
    for name, plan in plans.items():
        on_stage(name)
        fitted = fit_table(train, recipe.step, plan, recipe.fit, seed=recipe.seed)
        model = fitted.export()
        differences[name] = check_table_export(fitted, model, train.matrix, seed=recipe.seed).max_difference
        fits[name] = fitted, model
        measured[name] = _measured(served_scores(model, fitted, test.matrix), test.target, seed=recipe.seed)
        if recipe.split.folds > 1:
            crossed[name] = _cross_validated(recipe, plan, data, order, on_stage)
    best = max(fits, key=lambda name: (crossed or measured)[name]["average_precision"].estimate)
    on_stage("bundle")
    fitted, model = fits[best]
    scorecard = None if recipe.scorecard is None else scorecard_of(fitted, recipe.scorecard)
    metrics = {
        name: {key: one.estimate for key, one in figures.items()} | {"parity_max_difference": differences[name]}
        for name, figures in measured.items()
    }
    notes = (*data.notes, *(() if searched is None else searched.notes), *fitted.notes)
    on_stage("thresholds")
    chosen = choose_table_thresholds(recipe, plans[best], train, None if order is None else order[train_rows])
    folder = _write(recipe, train, test, fitted, model, scorecard, chosen, metrics, notes, root, command)
    return TrainedTable(folder, best, measured, crossed, len(train_rows), len(test_rows), notes, scorecard, searched)


def _measured(score: npt.NDArray[np.float64], target: npt.NDArray[np.bool_], *, seed: int) -> dict[str, Interval]:
    return bootstrap_intervals(lambda drawn: table_measures(score, target, drawn), len(target), seed=seed)


def _cross_validated(
    recipe: Recipe,
    plan: ModelPlan,
    data: TableData,
    order: npt.NDArray[np.float64] | None,
    on_stage: Callable[[str], None],
) -> dict[str, Interval]:
    """Return each measure's mean over folds, and its 95 % interval by the corrected resampled t-test.

    Nadeau and Bengio (2003), "Inference for the generalization error": folds share rows to train on, so the variance of
    their mean is (1/k + test rows / train rows) times that of a fold.
    """
    found: list[dict[str, float]] = []
    ratio = 0.0
    for number, (train, test) in enumerate(_folds(recipe, data, order), 1):
        on_stage(f"{model_name(plan)}, fold {number} of {recipe.split.folds}")
        fitted = fit_table(data.where(train), recipe.step, plan, recipe.fit, seed=recipe.seed)
        score = served_scores(fitted.export(), fitted, data.matrix[test])
        found.append(table_measures(score, data.target[test], np.ones(len(test))))
        ratio = len(test) / len(train)
    count = len(found)
    reach = float(student.ppf(0.975, count - 1)) * np.sqrt(1.0 / count + ratio)
    intervals = {}
    for name in found[0]:
        values = np.array([one[name] for one in found])
        half = reach * float(values.std(ddof=1))
        intervals[name] = Interval(float(values.mean()), float(values.mean()) - half, float(values.mean()) + half)
    return intervals


def _folds(
    recipe: Recipe, data: TableData, order: npt.NDArray[np.float64] | None
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    return folds(data.target, order, count=recipe.split.folds, seed=recipe.seed)


def _write(
    recipe: Recipe,
    train: TableData,
    test: TableData,
    fitted: FittedTable,
    model: bytes,
    scorecard: Scorecard | None,
    chosen: TableThresholds,
    metrics: dict[Model, dict[str, float]],
    notes: tuple[str, ...],
    root: Path,
    command: str,
) -> Path:
    golden = test.matrix[:GOLDEN_ROWS]
    times = np.zeros(len(golden), dtype=np.int64)
    files = {
        MODEL_FILE: model,
        GOLDEN_FILE: golden_bytes(Golden(golden, times, golden, Scorer(model).score(golden))),
    }
    if scorecard is not None:
        files[SCORECARD_FILE] = msgspec.json.format(msgspec.json.encode(scorecard), indent=2)
    manifest = TableManifest(
        name=recipe.name,
        model=fitted.classifier.model,
        target=recipe.data.target,
        columns=tuple(
            msgspec.structs.replace(column, required=required)
            for column, required in zip(fitted.columns, fitted.required, strict=True)
        ),
        usual_values=tuple(
            _usual(column, values) for column, values in zip(train.columns, train.matrix.T, strict=True)
        ),
        thresholds=chosen.thresholds,
        segments=chosen.segments,
        costs=decision_costs(recipe.decision),
        loss=None if recipe.loss is None else LossTerms(recipe.loss.exposure, recipe.loss.loss_given_default),
        training_rows=len(train.target),
        training_events=int(train.target.sum()),
        metrics={str(name): figures for name, figures in metrics.items()},
        notes=notes,
        library_versions=library_versions(),
        command=command,
        files={name: sha256(content).hexdigest() for name, content in files.items()},
    )
    encoded = msgspec.json.encode(manifest, order="deterministic")
    files[MANIFEST_FILE] = msgspec.json.format(encoded, indent=2) + b"\n"
    return write_folder(root / recipe.name / open_table_bundle(files).version, files)


def _usual(column: TableColumn, values: npt.NDArray[np.float64]) -> float:
    """Return the median of a number, the most frequent code of a category; 0 where all is missing."""
    present = values[np.isfinite(values)]
    if not len(present):
        return 0.0
    if column.categories is None:
        return float(np.median(present))
    codes, counts = np.unique(present, return_counts=True)
    return float(codes[np.argmax(counts)])
