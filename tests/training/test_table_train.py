"""Recipes become bundles that score as what was fitted, and are refused when they would not."""

import hashlib
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from risk.bundle import MANIFEST_FILE, MODEL_FILE, BundleError
from risk.credit_decision import decide_applications
from risk.manifest import Model
from risk.scorecard import points, points_lost
from risk.table_bundle import SCORECARD_FILE, TableBundle, open_table_bundle
from risk.table_columns import TableColumn, encode_row
from training import recipe as plans
from training.application_simulator import FIELDS, simulate_applications
from training.linear_models import fit_linear_discriminant, fit_logistic_regression
from training.parity import ParityError
from training.recipe import Data, Decision, Fitting, Loss, Recipe, SplitPlan
from training.steps.step import StepError
from training.table import Table, load_table
from training.table_data import DataError, table_data
from training.table_fit import fit_table, model_name
from training.table_parity import check_table_export, parity_table
from training.table_split import table_split
from training.table_train import TrainedTable, train_table

ROWS = 1_500
STEPS: tuple[plans.StepPlan, ...] = (
    plans.Impute("numbers", "median", indicator=True),
    plans.Winsorise(("income_eur", "debt_eur"), "quantile"),
    plans.OneHot("categories"),
    plans.Scale("numbers", "zscore"),
)
MODELS: tuple[plans.ModelPlan, ...] = tuple(one() for one in get_args(plans.ModelPlan))
QUICK = (plans.LogisticRegression(), plans.RandomForest(trees=20))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """Give simulated applications, as read from a file."""
    path = tmp_path_factory.mktemp("applications") / "applications.csv"
    path.write_text(simulate_applications(ROWS, seed=5))
    return load_table(path)


def recipe(models: tuple[plans.ModelPlan, ...] = QUICK, **more: Any) -> Recipe:
    """Return a recipe for the applications."""
    data = Data("applications.csv", "target", drop=("application_id",), ranges={"age_years": (18.0, 120.0)})
    given: dict[str, Any] = {"name": "test", "data": data, "model": models, "step": STEPS} | more
    return Recipe(**given)


def opened(trained: TrainedTable) -> TableBundle:
    """Return the bundle in the folder that training wrote."""
    return open_table_bundle({path.name: path.read_bytes() for path in trained.folder.iterdir()})


def test_every_model_has_a_plan() -> None:
    """A recipe can ask for any model that there is."""
    assert {model_name(one) for one in MODELS} == set(get_args(Model))


@pytest.mark.parametrize("calibrate", [None, "platt", "isotonic"])
@pytest.mark.parametrize("model", MODELS, ids=[model_name(one) for one in MODELS])
def test_every_model_passes_the_gate_on_raw_rows(table: Table, model: plans.ModelPlan, calibrate: Any) -> None:
    """Gaps, unknown categories, infinities and extremes go through one graph as through the steps and the library."""
    if isinstance(model, plans.Network | plans.Autoencoder):
        model = msgspec.structs.replace(model, epochs=2)
    data = table_data(table, recipe().data)
    fitted = fit_table(data, STEPS, model, Fitting(calibrate=calibrate), seed=1)
    assert not any(fitted.required)
    parity = check_table_export(fitted, fitted.export(), data.matrix, seed=2)
    assert parity.rows == 10_000
    tried = parity_table(fitted, data.matrix, 10_000, seed=2)
    assert np.isnan(tried).any()
    assert np.isinf(tried).any()
    assert (tried == -1.0).any()


def test_a_wrong_export_is_refused(table: Table) -> None:
    """The gate shows the row in which another model's export differs most."""
    data = table_data(table, recipe().data)
    right, wrong = (
        fit_table(data, STEPS, plans.LogisticRegression(inverse_penalty=one), Fitting(), seed=1) for one in (1.0, 1.01)
    )
    with pytest.raises(ParityError, match=r"the worst is row \d+: original .* for age_years="):
        check_table_export(right, wrong.export(), data.matrix, seed=2)


def test_the_steps_are_a_pipeline_of_scikit_learn(table: Table) -> None:
    """Imputation, encoding, scaling and regression together give the probabilities of the peer's pipeline."""
    data = table_data(table, recipe().data)
    steps = (STEPS[0], STEPS[2], STEPS[3])
    fitted = fit_table(data, steps, plans.LogisticRegression(), Fitting(), seed=1)
    numbers = [at for at, one in enumerate(data.columns) if one.categories is None]
    names = [at for at, one in enumerate(data.columns) if one.categories is not None]
    peer = make_pipeline(
        ColumnTransformer(
            [("fill", SimpleImputer(strategy="median", add_indicator=True), numbers), ("code", OneHotEncoder(), names)]
        ),
        StandardScaler(),
        LogisticRegression(max_iter=5_000, tol=1e-10),
    ).fit(data.matrix, data.target)
    expected = peer.predict_proba(data.matrix)[:, 1]
    np.testing.assert_allclose(fitted.probability(data.matrix), expected, atol=2e-4)


def test_a_bundle_scores_a_row_of_json(table: Table, tmp_path: Path) -> None:
    """What a recipe gave opens, scores fields by name as it scored the table, and tells the loss to expect."""
    trained = train_table(
        recipe(loss=Loss("amount_eur", 0.4), decision=Decision(flagged_share=0.3)), table, root=tmp_path, command="test"
    )
    bundle = opened(trained)
    assert trained.folder == tmp_path / "test" / bundle.version
    fields = {
        name: None if value is None or value != value else value
        for name, value in ((name, values[7]) for name, values in table.columns.items())
    }
    row = encode_row(bundle.manifest.columns, fields)
    assert isinstance(row, list)
    data = table_data(table, recipe().data)
    np.testing.assert_array_equal(row, data.matrix[7])
    matrix = np.array([row])
    score = bundle.scorer.score(matrix)
    loss = bundle.expected_loss(matrix, score)
    assert loss is not None
    assert loss[0] == pytest.approx(score[0] * 0.4 * data.matrix[7, 2])
    assert bundle.manifest.metrics.keys() == {"logistic_regression", "random_forest"}
    assert (bundle.manifest.training_rows, trained.test_rows) == (ROWS - trained.test_rows, trained.test_rows)


def test_figures_are_those_of_rows_not_trained_on(table: Table, tmp_path: Path) -> None:
    """The AUC on test rows is scikit-learn's of the bundle's scores, inside its interval; folds have theirs."""
    plan = recipe(split=SplitPlan(folds=3))
    trained = train_table(plan, table, root=tmp_path, command="test")
    data = table_data(table, plan.data)
    golden_rows = opened(trained).scorer.score(data.matrix)
    assert trained.test_rows == ROWS // 5
    for figures in (*trained.test.values(), *trained.folds.values()):
        one = figures["auc"]
        assert one.low < one.estimate < one.high
    # All rows, most of them trained on, are ranked better than those of the test.
    assert roc_auc_score(data.target, golden_rows) > trained.test["random_forest"]["auc"].low
    assert trained.model in trained.folds


def test_two_runs_are_one_bundle(table: Table, tmp_path: Path) -> None:
    """The same recipe and table give the same bytes, under the same name."""
    models = (plans.RandomForest(trees=10), plans.Xgboost(trees=10), plans.Network(epochs=2))
    first, second = (
        train_table(recipe(models), table, root=tmp_path / name, command="test").folder for name in ("a", "b")
    )
    assert first.name == second.name
    assert all((second / path.name).read_bytes() == path.read_bytes() for path in first.iterdir())


def test_by_time_the_last_rows_are_the_test(table: Table, tmp_path: Path) -> None:
    """A split by a column trains on what came first; a category that came later is unknown, and no error."""
    late = Table(
        dict(table.columns)
        | {
            "at": np.arange(ROWS, dtype=np.float64),
            "home": ["boat" if row > ROWS - 50 else str(one) for row, one in enumerate(table.columns["home"])],
        },
        ROWS,
    )
    data = Data("x.csv", "target", drop=("application_id", "at"))
    plan = recipe(QUICK[:1], data=data, split=SplitPlan("time", "at", 0.1, folds=3))
    trained = train_table(plan, late, root=tmp_path, command="test")
    assert trained.test_rows == ROWS // 10
    assert trained.folds["logistic_regression"]["auc"].estimate > 0.6


def test_gaps_that_no_step_fills_are_required_not_to_be(table: Table, tmp_path: Path) -> None:
    """Without imputation a column's gaps are refused in training, and a gapless one must be given when serving."""
    steps = (plans.OneHot("categories"),)
    with pytest.raises(StepError, match="'income_eur': has missing values after the last step; impute them"):
        train_table(recipe(step=steps), table, root=tmp_path, command="test")
    data = Data("x.csv", "target", drop=("application_id", "income_eur", "years_employed"))
    bundle = opened(train_table(recipe(QUICK[:1], step=steps, data=data), table, root=tmp_path, command="test"))
    required = {column.name for column in bundle.manifest.columns if column.required}
    assert required == {"age_years", "amount_eur", "duration_months", "debt_eur", "late_payments"}
    refused = encode_row(bundle.manifest.columns, {"age_years": 30})
    assert (refused.column, refused.reason) == ("amount_eur", "missing_field")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("steps", "error", "says"),
    [
        ((plans.Scale(("age",), "zscore"),), StepError, "step 1: column 'age': is not there; the columns are age_y"),
        ((STEPS[0], plans.Scale("all", "zscore")), StepError, "step 2: column 'home': holds categories"),
        ((STEPS[0],), StepError, "column 'home': still holds categories after the last step"),
        ((plans.Impute("categories", "constant", "hut"), *STEPS), StepError, "step 1: value = 'hut': is no category"),
        ((STEPS[2], STEPS[2]), StepError, "step 2: columns = 'categories': there are none"),
    ],
)
def test_steps_that_do_not_fit_are_refused(
    table: Table, tmp_path: Path, steps: tuple[plans.StepPlan, ...], error: type[Exception], says: str
) -> None:
    """The message has the step's number and the column."""
    with pytest.raises(error, match=says):
        train_table(recipe(step=steps), table, root=tmp_path, command="test")


def test_outliers_are_left_out_of_training_alone(table: Table, tmp_path: Path) -> None:
    """Rows are removed and counted, and the model still scores such a row."""
    steps = (STEPS[0], plans.RemoveOutliers(("debt_eur",), "iqr"), *STEPS[2:])
    trained = train_table(recipe(QUICK[:1], step=steps), table, root=tmp_path, command="test")
    (note,) = trained.notes
    assert note.startswith("step 2: ")
    assert note.endswith(" rows with outliers were left out of training")
    assert trained.train_rows + trained.test_rows == ROWS


def scorecard_recipe() -> Recipe:
    """Return a recipe of a scorecard."""
    return recipe(
        (plans.LogisticRegression(),),
        step=(plans.WeightOfEvidence("all"),),
        scorecard=plans.Scorecard(600.0, 50.0, 20.0),
    )


def test_points_tell_the_odds(table: Table, tmp_path: Path) -> None:
    """Summed points are base + points-to-double x log2(odds / base odds), but for the rounding of each bin."""
    bundle = opened(train_table(scorecard_recipe(), table, root=tmp_path, command="test"))
    assert bundle.scorecard is not None
    matrix = table_data(table, recipe().data).matrix
    score = bundle.scorer.score(matrix)
    given = points(bundle.scorecard, matrix)
    expected = 600.0 + 20.0 * np.log2((1.0 - score) / score / 50.0)
    assert np.abs(given.sum(axis=1) - expected).max() <= 0.5 * matrix.shape[1] + 1e-9
    lost = points_lost(bundle.scorecard, given)
    assert lost.min() == 0
    assert [one.column for one in bundle.scorecard.characteristics] == [
        name for name in FIELDS if name not in ("application_id", "target")
    ]
    unknown = points(bundle.scorecard, np.full((1, matrix.shape[1]), -1.0))[0]
    home = [one.column for one in bundle.scorecard.characteristics].index("home")
    assert unknown[home] == bundle.scorecard.characteristics[home].neutral


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({MODEL_FILE: b"no model"}, "sha256 of model.onnx"),
        ({"more.txt": b""}, "content is .*more.txt"),
        ({MANIFEST_FILE: b"{}"}, "manifest.json is not that of a table"),
        ({SCORECARD_FILE: None}, "content is"),
    ],
)
def test_a_bundle_that_was_changed_is_refused(
    table: Table, tmp_path: Path, change: dict[str, bytes | None], says: str
) -> None:
    """Another hash, a foreign or missing file and a manifest of another kind are named."""
    trained = train_table(scorecard_recipe(), table, root=tmp_path, command="test")
    files = {path.name: path.read_bytes() for path in trained.folder.iterdir()}
    changed = {name: content for name, content in (files | change).items() if content is not None}
    with pytest.raises(BundleError, match=says):
        open_table_bundle(changed)


def test_golden_rows_and_columns_are_looked_at(table: Table, tmp_path: Path) -> None:
    """A manifest whose hashes are right is still refused for another model, or columns that do not fit it."""
    one, other = (
        train_table(recipe((plans.LogisticRegression(penalty),)), table, root=tmp_path, command="test").folder
        for penalty in (1.0, 0.01)
    )
    files = {path.name: path.read_bytes() for path in one.iterdir()}
    files[MODEL_FILE] = (other / MODEL_FILE).read_bytes()
    with pytest.raises(BundleError, match="golden row 0, score"):
        open_table_bundle(resigned(files))
    manifest = msgspec.json.decode(files[MANIFEST_FILE])
    manifest["columns"].append({"name": "more"})
    manifest["usual_values"].append(0.0)
    files = {path.name: path.read_bytes() for path in one.iterdir()} | {MANIFEST_FILE: msgspec.json.encode(manifest)}
    with pytest.raises(BundleError, match="columns wide"):
        open_table_bundle(files)


def resigned(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files with a manifest that names their hashes."""
    manifest = msgspec.json.decode(files[MANIFEST_FILE])
    manifest["files"] = {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != MANIFEST_FILE
    }
    return files | {MANIFEST_FILE: msgspec.json.encode(manifest)}


def test_a_split_needs_both_classes(table: Table, tmp_path: Path) -> None:
    """A test without an event is refused, and so is an order with gaps."""
    rare = Table(dict(table.columns) | {"target": (np.arange(ROWS) < 1).astype(np.float64)}, ROWS)
    with pytest.raises(ValueError, match="test part has 0 events"):
        train_table(recipe(), rare, root=tmp_path, command="test")
    with pytest.raises(DataError, match=r"split\.column = 'income_eur'"):
        train_table(recipe(split=SplitPlan("time", "income_eur")), table, root=tmp_path, command="test")


def test_published_coefficients_are_found(shared_data: Path) -> None:
    """ISLR's Default data: the logits on one and on three columns and the error of the discriminant are the book's."""
    arrow = pq.read_table(shared_data / "credit/isl_default.parquet").to_pydict()
    default = np.array([one == "Yes" for one in arrow["default"]])
    balance, income = np.array(arrow["balance"]), np.array(arrow["income"]) / 1000.0
    student = np.array([one == "Yes" for one in arrow["student"]], dtype=np.float64)
    one, three = balance[:, None], np.column_stack([balance, income, student])
    for columns, published in (
        (one, [-10.6513, 0.005499]),
        (three, [-10.869, 0.00574, 0.00303, -0.6468]),
    ):
        centre, scale = columns.mean(axis=0), columns.std(axis=0)
        fitted = fit_logistic_regression((columns - centre) / scale, default, seed=0, inverse_penalty=np.inf).estimator
        weights = fitted.coef_[0] / scale
        np.testing.assert_allclose([fitted.intercept_[0] - weights @ centre, *weights], published, rtol=2e-3)
    discriminant = fit_linear_discriminant(np.column_stack([balance, student]), default, seed=0)
    error = np.mean((discriminant.probability(np.column_stack([balance, student])) > 0.5) != default)
    assert round(float(error), 4) == 0.0275


def test_an_encoded_row_names_what_is_wrong() -> None:
    """A text for a number, and a value out of its range, are told with their column."""
    columns = [TableColumn("age", low=18.0, high=99.0, required=True), TableColumn("code", categories=("1", "x"))]
    found = [
        encode_row(columns, fields)
        for fields in (
            {"age": "old"},
            {"age": 17},
            {"age": None},
            {"age": float("nan")},
            {"age": True, "code": 1},
        )
    ]
    assert [(one.column, one.reason) for one in found if not isinstance(one, list)] == [
        *[("age", "wrong_type"), ("age", "out_of_range"), ("age", "missing_field"), ("age", "missing_field")],
        ("age", "out_of_range"),
    ]
    assert encode_row(columns, {"age": 20, "code": 1.0}) == [20.0, 0.0]
    assert encode_row(columns, {"age": 20, "code": "y", "else": 1}) == [20.0, -1.0]


def test_segments_have_thresholds_of_their_own(table: Table, tmp_path: Path) -> None:
    """Where a category has enough rows its own thresholds decide; an unknown one has those of all."""
    plan = recipe(QUICK[:1], decision=Decision(review=0.05, declined_good=0.3, segment="home"))
    bundle = opened(train_table(plan, table, root=tmp_path, command="test"))
    segments = bundle.manifest.segments
    assert segments is not None
    assert set(segments.by_category) == {"own", "rent", "family"}
    assert len({own.review for own in segments.by_category.values()}) == 3
    matrix = table_data(table, plan.data).matrix
    home = [column.name for column in bundle.manifest.columns].index("home")
    matrix[::5, home] = -1.0
    decisions = decide_applications(bundle, matrix)
    names = bundle.manifest.columns[home].categories
    assert names is not None
    for row in range(len(matrix)):
        code = int(matrix[row, home])
        own = bundle.manifest.thresholds if code < 0 else segments.by_category[names[code]]
        score = decisions.probability[row]
        assert decisions.outcome[row] == int(score >= own.review) + int(score >= own.decline)
        assert decisions.threshold[row] == (0.0, own.review, own.decline)[decisions.outcome[row]]
    with pytest.raises(DataError, match=r"decision\.segment = 'age_years': is no column of categories"):
        train_table(recipe(QUICK[:1], decision=Decision(segment="age_years")), table, root=tmp_path, command="test")


def test_thresholds_are_chosen_without_the_test_rows(table: Table, tmp_path: Path) -> None:
    """What became of the test rows has no part in the thresholds, nor in the model."""
    plan = recipe(QUICK[:1])
    data = table_data(table, plan.data)
    _, test_rows = table_split(data.target, None, test_share=plan.split.test_share, seed=plan.seed)
    known = np.array(table.columns["target"], dtype=np.float64)
    events = test_rows[known[test_rows] == 1.0]
    others = test_rows[known[test_rows] == 0.0][: len(events)]
    swapped = known.copy()
    swapped[events], swapped[others] = 0.0, 1.0
    split = SplitPlan("time", "at", 0.2)
    order = np.zeros(ROWS)
    order[test_rows] = 1.0
    plan = recipe(QUICK[:1], split=split, data=Data("x.csv", "target", drop=("application_id", "at")))
    one, other = (
        opened(
            train_table(
                plan,
                Table(dict(table.columns) | {"target": target, "at": order}, ROWS),
                root=tmp_path / name,
                command="test",
            )
        ).manifest
        for name, target in (("a", known), ("b", swapped))
    )
    assert one.thresholds == other.thresholds
    assert one.files == other.files
    assert one.metrics != other.metrics
