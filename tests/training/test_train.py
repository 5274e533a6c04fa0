import dataclasses
from pathlib import Path

import numpy as np
import pytest
from real_input import HANDBOOK_COLUMNS, write_handbook
from sklearn.metrics import roc_auc_score

from risk.bundle import FEATURES
from risk.graph_explainer import GraphExplainer
from risk.manifest import Model
from stream.bundle_files import read_bundle
from training.console import parse_day, parse_mapping
from training.features import transaction_features
from training.history import DAY_NS, read_history
from training.history_search import search_windows
from training.linear_models import fit_logistic_regression
from training.onnx_export import export_onnx
from training.parity import ParityError
from training.plan_search import SearchError
from training.recipe import MODEL_PLANS, Fitting, LinearSvm, LogisticRegression, Polynomial, Project, Search, Xgboost
from training.simulator import START_NS, simulate_transactions
from training.time_split import Windows, split
from training.train import FEATURE_SETS, Plan, Trained, train

FIRST_DAY = START_NS // DAY_NS
HISTORY = simulate_transactions(customers=400, merchants=60, days=60, seed=9)
PLAN = Plan(
    name="small",
    windows=Windows(FIRST_DAY + 10, FIRST_DAY + 39, FIRST_DAY + 47, FIRST_DAY + 58, delay_days=7),
    models=(LogisticRegression(), LinearSvm()),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Give what training on a simulated history gave."""
    return train(HISTORY, PLAN, root=tmp_path_factory.mktemp("bundles"), command="riskstream train --x 'a b'")


def test_the_bundle_serves_the_better_model(trained: Trained) -> None:
    """The model of greater average precision is bundled, and the bundle opens, golden rows and all."""
    precision = {model: figures["average_precision"] for model, figures in trained.metrics.items()}
    assert set(precision) == {"logistic_regression", "linear_svm"}
    assert precision[trained.model] == max(precision.values()) > 0.3
    bundle = read_bundle(trained.folder)
    assert bundle.manifest.model == trained.model
    assert bundle.manifest.command == "riskstream train --x 'a b'"
    assert bundle.manifest.features == FEATURES
    assert isinstance(bundle.explainer, GraphExplainer)
    assert bundle.manifest.training_window.transactions == trained.train_rows
    assert bundle.manifest.training_window.start_ns == (FIRST_DAY + 10) * DAY_NS
    assert bundle.manifest.training_window.end_ns == (FIRST_DAY + 40) * DAY_NS


def test_the_figures_are_those_of_the_bundle(trained: Trained) -> None:
    """What the manifest tells of the test window is what the opened bundle scores on it."""
    bundle = read_bundle(trained.folder)
    rows = np.sort(split(HISTORY, PLAN.windows).test)
    features = transaction_features(HISTORY)[rows]
    scores = bundle.scorer.score(bundle.normaliser().advance(features, HISTORY.event_time_ns[rows]))
    told = bundle.manifest.metrics[trained.model]
    assert told["auc"] == pytest.approx(roc_auc_score(HISTORY.fraud[rows], scores), abs=1e-12)
    assert len(rows) == trained.test_rows


def test_thresholds_flag_what_may_be_flagged(trained: Trained) -> None:
    """On the days between the windows no more than the share is flagged."""
    bundle = read_bundle(trained.folder)
    rows = split(HISTORY, PLAN.windows).between
    features = transaction_features(HISTORY)[rows]
    scores = bundle.scorer.score(bundle.normaliser().advance(features, HISTORY.event_time_ns[rows]))
    assert 0 < (scores >= bundle.manifest.thresholds.review).sum() <= PLAN.review_share * len(rows) + 1


def test_the_same_plan_gives_the_same_bundle(trained: Trained, tmp_path: Path) -> None:
    """Training is a function of history, plan and seed: the version, a hash of all content, is the same again."""
    again = train(HISTORY, PLAN, root=tmp_path, command="riskstream train --x 'a b'")
    assert again.folder.name == trained.folder.name


def test_a_bundle_may_adapt_and_take_some_features(tmp_path: Path) -> None:
    """A half-life and the Handbook's fifteen features are in the manifest, and the bundle opens."""
    plan = dataclasses.replace(
        PLAN,
        models=(LogisticRegression(),),
        features=FEATURE_SETS["handbook"],
        normaliser="minmax",
        half_life_days=5.0,
    )
    bundle = read_bundle(train(HISTORY, plan, root=tmp_path, command="c").folder)
    assert len(bundle.manifest.features) == 15
    assert (bundle.manifest.normaliser.kind, bundle.manifest.normaliser.half_life_days) == ("minmax", 5.0)


def test_an_export_that_differs_leaves_no_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the parity gate refuses, nothing is written."""
    rows = np.random.default_rng(0).normal(size=(200, len(FEATURES)))
    another = export_onnx(fit_logistic_regression(rows, rows[:, 0] > 0.0, seed=0))
    monkeypatch.setattr("training.table_fit.export_onnx", lambda *given, **more: another)
    with pytest.raises(ParityError):
        train(HISTORY, PLAN, root=tmp_path, command="c")
    assert list(tmp_path.iterdir()) == []


def test_the_handbooks_figures_are_reached(shared_data: Path, tmp_path: Path) -> None:
    """By its protocol and features, scored by ONNX Runtime: AUC .860, AP .600, card precision@100 .285 at least."""
    path = tmp_path / "handbook.parquet"
    write_handbook(shared_data / "fraud/handbook_20180401_20180814.parquet", path, "2018-04-01", "2018-08-14")
    history = read_history(path, parse_mapping(list(HANDBOOK_COLUMNS)))
    first, last, test_first, test_last = (
        parse_day("", day) for day in ("2018-07-25", "2018-07-31", "2018-08-08", "2018-08-14")
    )
    models: tuple[Model, ...] = ("logistic_regression",)
    plan = Plan(
        name="handbook",
        windows=Windows(first, last, test_first, test_last, delay_days=7),
        models=tuple(MODEL_PLANS[one] for one in models),
        features=FEATURE_SETS["handbook"],
    )
    trained = train(history, plan, root=tmp_path, command="c")
    figures = trained.metrics["logistic_regression"]
    assert (trained.train_rows, trained.test_rows) == (67_240, 58_264)
    assert figures["auc"] >= 0.860
    assert figures["average_precision"] >= 0.600
    assert figures["card_precision_at_100"] >= 0.285


def test_flags_keep_to_what_a_team_can_look_at(tmp_path: Path) -> None:
    """With so many reviews a day no more transactions are flagged, on the days that thresholds are chosen on."""
    plan = dataclasses.replace(PLAN, models=(LogisticRegression(),), reviews_per_day=3)
    bundle = read_bundle(train(HISTORY, plan, root=tmp_path, command="c").folder)
    day = HISTORY.event_time_ns // DAY_NS
    between = np.flatnonzero((day > PLAN.windows.train_to) & (day < PLAN.windows.test_from))
    raw = transaction_features(HISTORY)[between]
    scores = bundle.scorer.score(bundle.normaliser().advance(raw, HISTORY.event_time_ns[between]))
    assert 0 < (scores >= bundle.manifest.thresholds.review).sum() <= 3 * 7


def test_a_search_looks_at_no_day_after_those_trained_on(tmp_path: Path) -> None:
    """What became of later transactions changes no plan that is found, and a second run takes all from the journal."""
    plan = dataclasses.replace(PLAN, models=(Xgboost(trees=5),), search=Search(trials=4, folds=1))
    plan = dataclasses.replace(
        plan, windows=Windows(FIRST_DAY + 25, FIRST_DAY + 39, FIRST_DAY + 47, FIRST_DAY + 51, delay_days=7)
    )
    (window,) = search_windows(plan.windows, 1)
    assert (window.train_from, window.test_to) == (FIRST_DAY + 13, FIRST_DAY + 39)
    later = HISTORY.event_time_ns // DAY_NS > plan.windows.train_to
    swapped = dataclasses.replace(HISTORY, fraud=HISTORY.fraud ^ (later & (np.arange(len(HISTORY)) % 7 == 0)))
    first, other = (
        train(history, plan, root=tmp_path / name, command="c") for name, history in (("a", HISTORY), ("b", swapped))
    )
    again = train(HISTORY, plan, root=tmp_path / "a", command="c")
    assert first.search is not None
    assert other.search is not None
    assert again.search is not None
    assert first.search.models == other.search.models
    assert (first.search.taken, again.search.taken) == (0, 6)
    assert again.folder == first.folder
    assert read_bundle(first.folder).manifest.notes == first.search.notes
    with pytest.raises(SearchError, match="folds: 9 reach back before the history begins, from fold"):
        train(HISTORY, dataclasses.replace(plan, search=Search(folds=9)), root=tmp_path, command="c")


def test_steps_weights_and_calibration_are_for_transactions_too(tmp_path: Path) -> None:
    """A plan's steps leave in the model's graph, behind the normaliser, and reasons are still given."""
    plan = dataclasses.replace(
        PLAN,
        models=(LogisticRegression(),),
        steps=(Polynomial(("amount", "customer_count_1d")), Project("all", "pca", 0.99)),
        fit=Fitting(balance=True, calibrate="platt"),
    )
    trained = train(HISTORY, plan, root=tmp_path, command="c")
    bundle = read_bundle(trained.folder)
    assert set(bundle.manifest.files) == {"model.onnx", "golden.npz"}
    raw = np.tile([bundle.manifest.usual_values[name] for name in bundle.manifest.features], (3, 1))
    raw[:, 0] *= 10.0
    assert bundle.scorer.score(bundle.normaliser().advance(raw, np.zeros(3, dtype=np.int64))).shape == (3,)
