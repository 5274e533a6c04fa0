"""Every export is a scorer, its original's equal, and the same in any batch."""

import numpy as np
import onnx
import pytest

from risk.bundle import FEATURES
from risk.manifest import Model
from risk.scorer import Scorer
from tests.training.conftest import TrainingData
from training.classifier import Classifier
from training.graph import IR_VERSION, OPSETS
from training.onnx_export import export_onnx
from training.parity import check_export


def test_an_export_equals_its_original_on_10_000_rows(
    model: Model, classifiers: dict[Model, Classifier], exports: dict[Model, bytes], training_data: TrainingData
) -> None:
    """Each passes the gate with missing and extreme values, and is far closer on ordinary rows."""
    parity = check_export(
        classifiers[model],
        exports[model],
        training_data.statistics,
        training_data.features,
        FEATURES,
        seed=2,
    )
    double = 1e-12 if model == "kernel_svm" else 1e-14
    nearest = {"logistic_regression": double, "linear_svm": double, "linear_discriminant": double, "kernel_svm": double}
    assert parity.rows >= 10_000
    assert parity.max_difference_ordinary <= nearest.get(model, 1e-6)


def test_a_score_has_the_same_bits_in_any_batch(
    model: Model, exports: dict[Model, bytes], training_data: TrainingData
) -> None:
    """A row alone and a row among up to 4,999 others score the same bits."""
    scorer = Scorer(exports[model])
    rows = training_data.normalised[:5000]
    alone = np.concatenate([scorer.score(row[None]) for row in rows])
    # Trees and kernels take microseconds a row, which every size up to 5,000 would make a minute.
    quick = model in ("logistic_regression", "linear_svm", "linear_discriminant", "network")
    sizes = range(1, 5001) if quick else [*range(1, 34), 63, 64, 65, 255, 257, 1000, 1025, 5000]
    for size in sizes:
        at = (size * 977) % (5001 - size)
        assert scorer.score(rows[at : at + size]).tobytes() == alone[at : at + size].tobytes(), size
    scorer.check_batch_invariance(rows[:257])


def test_an_export_has_the_fixed_signature(model: Model, exports: dict[Model, bytes]) -> None:
    """Names, types and versions are those that the scorer and its ONNX Runtime take."""
    loaded = onnx.load_from_string(exports[model])
    assert loaded.ir_version == IR_VERSION
    assert {one.domain: one.version for one in loaded.opset_import} == OPSETS
    assert [one.name for one in loaded.graph.input] == ["features"]
    assert [one.name for one in loaded.graph.output] == ["score"]
    assert Scorer(exports[model]).feature_count == len(FEATURES)


def test_an_export_can_be_repeated(
    model: Model, classifiers: dict[Model, Classifier], exports: dict[Model, bytes]
) -> None:
    """The same classifier exports to the same bytes again."""
    assert export_onnx(classifiers[model]) == exports[model]


def test_a_forest_takes_the_branch_of_its_original_at_every_threshold(
    classifiers: dict[Model, Classifier], exports: dict[Model, bytes], training_data: TrainingData
) -> None:
    """Rows that lie on a threshold, or one float32 beside it, go the same way as in scikit-learn."""
    forest = classifiers["random_forest"]
    random = np.random.default_rng(3)
    rows = training_data.normalised[random.integers(6000, size=3000)].copy()
    for row in rows:
        tree = forest.estimator.estimators_[random.integers(100)].tree_
        node = random.choice(np.flatnonzero(tree.children_left >= 0))
        threshold = np.float32(tree.threshold[node])
        beside = np.nextafter(threshold, np.float32(random.choice([-np.inf, np.inf])))
        row[tree.feature[node]] = random.choice([threshold, beside])
    np.testing.assert_allclose(Scorer(exports["random_forest"]).score(rows), forest.probability(rows), atol=1e-6)


@pytest.mark.parametrize("value", [1e6, -1e6])
def test_extreme_rows_score_within_0_and_1(model: Model, exports: dict[Model, bytes], value: float) -> None:
    """The greatest values that a normaliser lets through are scored, not refused."""
    rows = np.full((3, len(FEATURES)), value)
    scores = Scorer(exports[model]).score(rows)
    assert np.all((scores >= 0.0) & (scores <= 1.0))
