"""The gate catches exports that are wrong in silence."""

import warnings
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from risk.bundle import FEATURES
from risk.manifest import Model
from tests.training.conftest import TrainingData
from training.classifier import Classifier
from training.graph import OPSETS
from training.linear_models import fit_logistic_regression
from training.onnx_export import export_onnx
from training.parity import PARITY_ROWS, ParityError, check_export, check_parity, parity_rows

NAMES = ("a", "b", "c", "d")


def converted(estimator: Any, rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the probabilities of the stock converter's export, which takes float32 rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = to_onnx(
            estimator,
            initial_types=[("X", FloatTensorType([None, rows.shape[1]]))],
            options={"zipmap": False},
            target_opset=OPSETS,
        )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (given,) = session.run(["probabilities"], {"X": rows.astype(np.float32)})
    return np.asarray(given[:, 1], dtype=np.float64)


def gate(estimator: Any, rows: npt.NDArray[np.float64]) -> None:
    """Hold a stock conversion against its original."""
    expected = estimator.predict_proba(rows)[:, 1]
    check_parity(expected, converted(estimator, rows), rows, NAMES, np.full(len(rows), 1e-6))


def with_gaps(seed: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return rows of four features with gaps, where a gap says much, and labels."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(PARITY_ROWS, 4))
    gaps = random.random(rows.shape) < 0.2
    fraud = (rows[:, 0] + 2.0 * gaps[:, 1] + random.normal(size=len(rows))) > 1.5
    return np.where(gaps, np.nan, rows), fraud


def test_the_gate_catches_a_forest_trained_with_missing_values() -> None:
    """The stock converter forgets which way a missing value goes."""
    rows, fraud = with_gaps(seed=1)
    forest = RandomForestClassifier(20, max_depth=8, random_state=0).fit(rows, fraud)
    with pytest.raises(ParityError, match=r"a=.*nan"):
        gate(forest, rows)


def test_the_gate_catches_a_missing_indicator_that_the_converter_drops() -> None:
    """The stock converter drops the columns that say what was missing; a linear model then reads what lies beyond."""
    rows, fraud = with_gaps(seed=2)
    imputer = SimpleImputer(strategy="mean", add_indicator=True)
    with pytest.raises(ParityError, match="nan"):
        gate(make_pipeline(imputer, LogisticRegression()).fit(rows, fraud), rows)


def test_the_gate_catches_float32_trees_fed_with_epoch_seconds() -> None:
    """Seconds since 1970 lie 128 apart in float32, so a tree that computes in double is not what was exported."""
    random = np.random.default_rng(3)
    rows = random.normal(size=(PARITY_ROWS, 4))
    rows[:, 0] = 1.5e9 + random.integers(0, 10_000, size=len(rows))
    fraud = rows[:, 0].astype(np.int64) % 100 < 50
    relative = rows.copy()
    relative[:, 0] -= 1.5e9
    forest = RandomForestClassifier(20, random_state=0).fit(relative, fraud)
    expected = forest.predict_proba(relative)[:, 1]
    for estimator in forest.estimators_:
        tree = estimator.tree_
        thresholds = tree.threshold
        thresholds[tree.feature == 0] += 1.5e9
    with pytest.raises(ParityError, match="a=15000"):
        check_parity(expected, converted(forest, rows), rows, NAMES, np.full(len(rows), 1e-6))


def test_the_gate_passes_a_sound_conversion() -> None:
    """A stock conversion of a forest without gaps passes: the gate does not cry wolf."""
    rows, fraud = with_gaps(seed=4)
    whole = np.nan_to_num(rows)
    gate(RandomForestClassifier(20, max_depth=8, random_state=0).fit(whole, fraud), whole)


def _refit(data: TrainingData) -> tuple[Classifier, bytes]:
    classifier = fit_logistic_regression(data.normalised, data.fraud, seed=0)
    return classifier, export_onnx(classifier)


def test_the_gate_catches_statistics_of_another_column(training_data: TrainingData) -> None:
    """A normaliser with two columns swapped serves other scores than scikit-learn's scaler leads to."""
    classifier, model = _refit(training_data)
    swapped = msgspec.structs.replace(
        training_data.statistics, centre=training_data.statistics.centre[1::-1] + training_data.statistics.centre[2:]
    )
    with pytest.raises(ParityError, match="amount="):
        check_export(classifier, model, swapped, training_data.features, FEATURES, seed=0)


def test_the_gate_catches_one_wrong_bit_of_float32(training_data: TrainingData) -> None:
    """A double model whose weights went through float32 is not its original."""
    classifier, model = _refit(training_data)
    blurred = onnx.load_from_string(model)
    for constant in blurred.graph.initializer:
        weights = numpy_helper.to_array(constant)
        if weights.shape == (len(FEATURES), 1):
            weights = weights.astype(np.float32).astype(np.float64)
            constant.CopyFrom(numpy_helper.from_array(weights, constant.name))
    with pytest.raises(ParityError):
        check_export(
            classifier,
            blurred.SerializeToString(),
            training_data.statistics,
            training_data.features,
            FEATURES,
            seed=0,
        )


def test_the_gate_catches_a_forest_cut_short(
    classifiers: dict[Model, Classifier], exports: dict[Model, bytes], training_data: TrainingData
) -> None:
    """A forest exported with one leaf changed by a thousandth is not its original."""
    changed = onnx.load_from_string(exports["random_forest"])
    (trees,) = (node for node in changed.graph.node if node.op_type == "TreeEnsembleRegressor")
    (weights,) = (one for one in trees.attribute if one.name == "target_weights")
    weights.CopyFrom(helper.make_attribute("target_weights", [one + 1e-3 * (one < 0.5) for one in weights.floats]))
    with pytest.raises(ParityError, match="export differs"):
        check_export(
            classifiers["random_forest"],
            changed.SerializeToString(),
            training_data.statistics,
            training_data.features,
            FEATURES,
            seed=0,
        )


def test_min_max_statistics_pass_too(training_data: TrainingData) -> None:
    """The gate knows both kinds of normaliser."""
    low, high = training_data.features.min(axis=0), training_data.features.max(axis=0)
    statistics = msgspec.structs.replace(
        training_data.statistics,
        kind="minmax",
        centre=tuple(low.tolist()),
        scale=tuple((high - low).tolist()),
    )
    classifier = fit_logistic_regression((training_data.features - low) / (high - low), training_data.fraud, seed=0)
    parity = check_export(classifier, export_onnx(classifier), statistics, training_data.features, FEATURES, seed=0)
    assert parity.max_difference_ordinary < 1e-14


def test_adapting_statistics_are_compared_frozen(training_data: TrainingData) -> None:
    """The gate is about the model: a half-life does not let the normaliser drift while it runs."""
    classifier, model = _refit(training_data)
    adapting = msgspec.structs.replace(training_data.statistics, half_life_days=1.0)
    check_export(classifier, model, adapting, training_data.features, FEATURES, seed=0)


def test_a_feature_constant_in_training_passes(training_data: TrainingData) -> None:
    """What never varied is taken for 0 on both sides, whatever it is later."""
    features = training_data.features.copy()
    features[:, 7] = 3.0
    normalised = training_data.normalised.copy()
    normalised[:, 7] = 0.0
    centre, scale = list(training_data.statistics.centre), list(training_data.statistics.scale)
    centre[7], scale[7] = 3.0, 0.0
    statistics = msgspec.structs.replace(training_data.statistics, centre=tuple(centre), scale=tuple(scale))
    classifier = fit_logistic_regression(normalised, training_data.fraud, seed=0)
    check_export(classifier, export_onnx(classifier), statistics, features, FEATURES, seed=0)


def test_the_worst_row_is_shown() -> None:
    """Of several rows that differ, the error shows the one that exceeds what is allowed by most."""
    expected = np.array([0.1, 0.2, 0.3, 0.4])
    served = np.array([0.1, 0.2 + 2e-6, 0.35, 0.4 + 0.1])
    allowed = np.array([1e-6, 1e-6, 1e-6, 0.2])
    rows = np.arange(16.0).reshape(4, 4)
    with pytest.raises(ParityError, match=r"in 2 of 4 rows; the worst is row 2: .* a=8\.0, b=9\.0, c=10\.0, d=11\.0"):
        check_parity(expected, served, rows, NAMES, allowed)


def test_a_score_that_is_no_number_never_passes() -> None:
    """NaN differs from everything, and more than anything else."""
    with pytest.raises(ParityError, match="worst is row 1"):
        check_parity(np.array([0.0, 0.5]), np.array([0.9, np.nan]), np.zeros((2, 4)), NAMES, np.full(2, 1e-6))


def test_parity_rows_hold_gaps_extremes_and_real_rows(training_data: TrainingData) -> None:
    """The rows compared are not only those that a model has seen; the seed decides them."""
    rows = parity_rows(training_data.features, PARITY_ROWS, seed=0)
    assert rows.shape == (PARITY_ROWS, len(FEATURES))
    assert np.isnan(rows).all(axis=1).sum() >= 50
    assert np.isinf(rows).sum() >= 50
    assert np.nanmax(np.where(np.isinf(rows), np.nan, rows)) > 1e6 * training_data.features.max()
    known = {row.tobytes() for row in training_data.features}
    assert sum(row.tobytes() in known for row in rows) >= PARITY_ROWS // 3
    np.testing.assert_array_equal(rows, parity_rows(training_data.features, PARITY_ROWS, seed=0))


def test_the_converter_is_right_about_logistic_regression_without_gaps() -> None:
    """A second, independent export of the linear model agrees with the original as ours does."""
    rows, fraud = with_gaps(seed=5)
    whole = np.nan_to_num(rows)
    gate(LogisticRegression().fit(whole, fraud), whole)
