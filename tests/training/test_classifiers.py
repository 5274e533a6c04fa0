"""Every classifier learns, repeats itself, and refuses what it would get wrong."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from risk.manifest import Model
from tests.training.conftest import TrainingData
from training import network
from training.classifier import Classifier
from training.classifiers import FITS
from training.kernel_svm import fit_kernel_svm
from training.linear_models import fit_logistic_regression
from training.network import fit_network
from training.onnx_export import export_onnx
from training.unlabelled import UNLABELLED


def test_every_model_ranks_frauds_above_the_rest(
    model: Model, classifiers: dict[Model, Classifier], training_data: TrainingData
) -> None:
    """A fitted model gives a fraud the higher probability in most pairs of a fraud and another row."""
    given = classifiers[model].probability(training_data.normalised)
    frauds, others = given[training_data.fraud], given[~training_data.fraud]
    assert given.dtype == np.float64
    # Some have not been told what a fraud is.
    assert np.mean(frauds[:, None] > others[None, :]) > (0.6 if model in UNLABELLED else 0.8)


def test_every_model_is_calibrated_in_the_large(
    model: Model, classifiers: dict[Model, Classifier], training_data: TrainingData
) -> None:
    """The mean probability is near the fraction of frauds: scores are probabilities, not mere ranks."""
    if model in UNLABELLED:
        # What has seen no label gives ranks.
        return
    given = classifiers[model].probability(training_data.normalised)
    assert given.mean() == pytest.approx(training_data.fraud.mean(), abs=0.02)


def test_two_fits_with_one_seed_are_one_model(model: Model, training_data: TrainingData) -> None:
    """Data and seed determine the exported bytes, whatever the process has fitted before."""
    rows = slice(0, 1500)
    more = {"epochs": 2} if model in ("network", "autoencoder") else {}
    first, second = (
        export_onnx(FITS[model](training_data.normalised[rows], training_data.fraud[rows], seed=5, **more))
        for _ in range(2)
    )
    assert first == second


@pytest.mark.parametrize("kind", ["random_forest", "network"])
def test_another_seed_gives_another_model(kind: Model, training_data: TrainingData) -> None:
    """Where chance plays a part, the seed decides it."""
    rows = slice(0, 500)
    more = {"epochs": 1} if kind == "network" else {}
    first, second = (
        export_onnx(FITS[kind](training_data.normalised[rows], training_data.fraud[rows], seed=seed, **more))
        for seed in (1, 2)
    )
    assert first != second


def test_the_margin_is_calibrated_by_platts_sigmoid(
    classifiers: dict[Model, Classifier], training_data: TrainingData
) -> None:
    """The linear SVM's log odds are a rising straight line in the margin of the machine."""
    calibrated = classifiers["linear_svm"].estimator.calibrated_classifiers_[0]
    margin = calibrated.estimator.decision_function(training_data.normalised)
    given = classifiers["linear_svm"].probability(training_data.normalised)
    log_odds = np.log(given / (1.0 - given))
    slope, offset = np.polyfit(margin, log_odds, 1)
    assert slope > 0.0
    np.testing.assert_allclose(given, expit(slope * margin + offset), atol=1e-9)


def test_the_network_has_the_mean_weights_of_its_later_epochs(
    training_data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four epochs the last two count, and they differ."""
    keras = pytest.importorskip("keras")
    original = keras.Sequential.get_weights
    seen: list[list[NDArray[np.float32]]] = []

    def noted(network: Any) -> list[NDArray[np.float32]]:
        seen.append(original(network))
        return seen[-1]

    monkeypatch.setattr(keras.Sequential, "get_weights", noted)
    fitted = fit_network(training_data.normalised[:500], training_data.fraud[:500], seed=0, epochs=4, members=1)
    assert len(seen) == 2
    assert not np.allclose(seen[0][0], seen[1][0], rtol=0.0, atol=1e-4)
    for third, fourth, mean in zip(*seen, original(fitted.estimator), strict=True):
        np.testing.assert_allclose(mean, (third + fourth) / 2.0, rtol=1e-5, atol=1e-7)


def test_three_networks_side_by_side_have_the_mean_of_their_log_odds(
    training_data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one network that is exported ranks by the mean of its members', which differ."""
    rows = training_data.normalised[:400]
    members = []

    def noted(*given: Any, seed: int) -> list[NDArray[np.float32]]:
        members.append(fit_member(*given, seed=seed))
        return members[-1]

    fit_member = network._fit_member
    monkeypatch.setattr(network, "_fit_member", noted)
    probability = fit_network(rows, training_data.fraud[:400], seed=0, epochs=2, hidden=(5, 4, 3)).probability(rows)
    log_odds = []
    for weights in members:
        passed = rows
        for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
            passed = np.maximum(passed @ kernel + bias, 0.0)
        log_odds.append((passed @ weights[-2] + weights[-1])[:, 0])
    assert len(members) == 3
    assert not np.allclose(log_odds[0], log_odds[1])
    np.testing.assert_allclose(probability, expit(np.mean(log_odds, axis=0)), atol=1e-5)


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(fit: Callable[..., Classifier], value: float) -> None:
    """A missing value is named by row and column: a forest would take it, and export wrong."""
    rows = np.zeros((20, 3))
    rows[7, 2] = value
    with pytest.raises(ValueError, match="feature 2 of row 7"):
        fit(rows, np.arange(20) % 2 == 0, seed=0)


@pytest.mark.parametrize("frauds", [0, 20])
def test_a_single_class_is_refused(frauds: int) -> None:
    """Data with no fraud, or nothing else, teach nothing."""
    with pytest.raises(ValueError, match="both classes must occur"):
        fit_logistic_regression(np.zeros((20, 3)), np.full(20, frauds > 0), seed=0)


def test_labels_of_another_length_are_refused() -> None:
    """One label a row."""
    with pytest.raises(ValueError, match="20 rows of features, 19 labels"):
        fit_logistic_regression(np.zeros((20, 3)), np.arange(19) % 2 == 0, seed=0)


def test_tensorflow_is_imported_for_the_network_alone() -> None:
    """Importing the training code does not cost the ten seconds of TensorFlow."""
    code = (
        "import sys, training.classifiers, training.onnx_export, training.parity, training.bundle_files;"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_leaving_genuine_rows_out_is_taken_out_of_the_log_odds() -> None:
    """A kernel machine fitted to a part of the genuine rows gives probabilities of the whole."""
    random = np.random.default_rng(3)
    rows = random.normal(size=(20_000, 2))
    fraud = rows[:, 0] + 0.5 * random.normal(size=20_000) > 2.2
    classifier = fit_kernel_svm(rows, fraud, seed=0)
    assert classifier.log_odds_shift < -0.5
    assert classifier.probability(rows).mean() == pytest.approx(fraud.mean(), rel=0.25)
