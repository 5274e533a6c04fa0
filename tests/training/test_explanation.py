"""Every bundled model explains its own scores."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from risk.bundle import FEATURES
from risk.explainer import EXPLANATION_FILE, TREES_FILE, Explainer, explainer_of
from risk.graph_explainer import GraphExplainer
from risk.manifest import Model
from risk.scorer import Scorer
from tests.shapley import shapley_values
from tests.training.conftest import TrainingData
from training.classifier import Classifier
from training.explanation import explanation_files
from training.linear_models import fit_logistic_regression

Rows = npt.NDArray[np.float64]
ADDITIVITY = 2e-6
"""Float32 in the served trees and network; models in double are far closer, and more extreme rows less close."""


@pytest.fixture(scope="session")
def explanations(classifiers: dict[Model, Classifier]) -> dict[Model, dict[str, bytes]]:
    """Give the files that explain each classifier."""
    return {model: explanation_files(classifier) for model, classifier in classifiers.items()}


@pytest.fixture
def rows(training_data: TrainingData) -> Rows:
    """Give rows, of which every third is drawn out to ten times its size."""
    drawn = training_data.normalised[:120].copy()
    drawn[::3] *= 10.0
    return drawn


@pytest.fixture
def usual(training_data: TrainingData, rows: Rows) -> Rows:
    """Give usual rows: the centre, with an amount of each one's own, and every fifth row's second half as it is."""
    drawn = np.zeros_like(rows)
    drawn[:, 0] = training_data.normalised[1000:1120, 0]
    drawn[::5, 12:] = rows[::5, 12:]
    return drawn


@pytest.fixture
def explainer(model: Model, explanations: dict[Model, dict[str, bytes]], exports: dict[Model, bytes]) -> Explainer:
    """Give what a worker explains the model with."""
    return explainer_of(explanations[model], Scorer(exports[model]))


def test_each_model_has_its_file(explanations: dict[Model, dict[str, bytes]]) -> None:
    """Linear models and the network have a graph, forests and boostings their trees, the kernel machine nothing."""
    found = {model: list(files) for model, files in explanations.items()}
    graph, trees = [EXPLANATION_FILE], [TREES_FILE]
    assert found == {
        "logistic_regression": graph,
        "linear_svm": graph,
        "linear_discriminant": graph,
        "kernel_svm": [],
        "random_forest": trees,
        "gradient_boosting": trees,
        "lightgbm": trees,
        "xgboost": trees,
        "isolation_forest": trees,
        "autoencoder": [],
        "network": graph,
    }


def test_contributions_add_up_to_the_difference_of_served_scores(
    model: Model, explainer: Explainer, exports: dict[Model, bytes], rows: Rows, usual: Rows
) -> None:
    """Their sum is what the scorer says of the row less what it says of the usual one."""
    scorer = Scorer(exports[model])
    found = explainer.contributions(rows, usual)
    exact = model in ("logistic_regression", "linear_svm", "linear_discriminant", "kernel_svm")
    np.testing.assert_allclose(
        found.sum(axis=1), scorer.score(rows) - scorer.score(usual), rtol=0, atol=1e-12 if exact else ADDITIVITY
    )
    assert np.abs(found).max() > 0.01


def test_what_is_usual_contributes_nothing(explainer: Explainer, rows: Rows, usual: Rows) -> None:
    """A feature at its usual value has no contribution, and a usual row none at all."""
    found = explainer.contributions(rows, usual)
    assert np.abs(found[rows == usual]).max() < 1e-15
    assert np.all(explainer.contributions(rows, rows) == 0.0)


def test_contributions_do_not_depend_on_the_batch(explainer: Explainer, rows: Rows, usual: Rows) -> None:
    """Rows explained alone and in batches of many sizes have the same bits."""
    whole = explainer.contributions(rows, usual)
    for size in (1, 2, 7, 8, 9, 31, 50):
        parts = [explainer.contributions(rows[at : at + size], usual[at : at + size]) for at in range(0, 120, size)]
        assert np.concatenate(parts).tobytes() == whole.tobytes(), size


def test_no_rows_have_no_contributions(explainer: Explainer) -> None:
    """An empty batch is explained."""
    nothing = np.empty((0, len(FEATURES)))
    assert explainer.contributions(nothing, nothing).shape == nothing.shape


def test_graphs_pass_the_check_of_every_batch_size(
    explanations: dict[Model, dict[str, bytes]], rows: Rows, usual: Rows
) -> None:
    """A graph gives a row the same bits at every position of every run."""
    for files in explanations.values():
        if EXPLANATION_FILE in files:
            GraphExplainer(files[EXPLANATION_FILE]).check_batch_invariance(rows, usual)


def test_equal_classifiers_give_equal_files(
    model: Model, classifiers: dict[Model, Classifier], explanations: dict[Model, dict[str, bytes]]
) -> None:
    """The files are a function of the parameters."""
    assert explanation_files(classifiers[model]) == explanations[model]


def test_a_linear_model_is_explained_by_weight_times_deviation(
    classifiers: dict[Model, Classifier], rows: Rows, usual: Rows
) -> None:
    """In log odds, brought to the score's scale by one factor, with scikit-learn's own weights and probabilities."""
    classifier = classifiers["logistic_regression"]
    found = GraphExplainer(explanation_files(classifier)[EXPLANATION_FILE]).contributions(rows, usual)
    weights = classifier.estimator.coef_[0]
    margin = classifier.estimator.decision_function(rows) - classifier.estimator.decision_function(usual)
    score = classifier.probability(rows) - classifier.probability(usual)
    expected = (rows - usual) * weights * (score / margin)[:, None]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_linear_models_contributions_are_shapley_values() -> None:
    """They are those that all coalitions of four features give."""
    random = np.random.default_rng(5)
    rows = random.normal(size=(200, 4))
    classifier = fit_logistic_regression(rows, rows @ [1.0, -2.0, 0.5, 1.0] > 0.3, seed=0)
    explainer = GraphExplainer(explanation_files(classifier)[EXPLANATION_FILE])
    found = explainer.contributions(rows[:5], rows[5:10])
    for row, usual, contributions in zip(rows[:5], rows[5:10], found, strict=True):
        margins = classifier.estimator.decision_function(np.array([row, usual]))
        scores = classifier.probability(np.array([row, usual]))
        slope = (scores[0] - scores[1]) / (margins[0] - margins[1])
        shares = shapley_values(lambda one: classifier.estimator.decision_function(one[None])[0], row, usual)
        np.testing.assert_allclose(contributions, shares * slope, rtol=0, atol=1e-12)


def deeplift(network: Any, row: Rows, usual: Rows) -> Rows:
    """Return the contributions of one row by the rescale rule, unit by unit."""
    layers = [[np.asarray(one, dtype=np.float64) for one in layer.get_weights()] for layer in network.layers]
    multipliers = []
    own, other = row, usual
    for kernel, bias in layers[:-1]:
        before = [
            (float(own @ kernel[:, unit] + bias[unit]), float(other @ kernel[:, unit] + bias[unit]))
            for unit in range(len(bias))
        ]
        after = [(max(a, 0.0), max(b, 0.0)) for a, b in before]
        multipliers.append(
            [(c - d) / (a - b) if a != b else float(a > 0.0) for (a, b), (c, d) in zip(before, after, strict=True)]
        )
        own, other = (np.array([one[side] for one in after]) for side in (0, 1))
    kernel, bias = layers[-1]
    margins = [float((side @ kernel + bias)[0]) for side in (own, other)]
    flowing = kernel[:, 0]
    for (kernel, _), multiplier in zip(layers[-2::-1], multipliers[::-1], strict=True):
        flowing = kernel @ (flowing * multiplier)
    scores = [1.0 / (1.0 + np.exp(-margin)) for margin in margins]
    return np.asarray(flowing * (row - usual) * (scores[0] - scores[1]) / (margins[0] - margins[1]))


def test_a_network_is_explained_by_the_rescale_rule(
    classifiers: dict[Model, Classifier], explanations: dict[Model, dict[str, bytes]], rows: Rows, usual: Rows
) -> None:
    """Contributions equal those of a plain loop over units."""
    found = GraphExplainer(explanations["network"][EXPLANATION_FILE]).contributions(rows, usual)
    network = classifiers["network"].estimator
    expected = np.array([deeplift(network, row, other) for row, other in zip(rows, usual, strict=True)])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_a_network_between_neighbours_is_explained_by_its_gradient(
    classifiers: dict[Model, Classifier], explanations: dict[Model, dict[str, bytes]], rows: Rows
) -> None:
    """Where no unit's input changes its sign the rule is TensorFlow's gradient times the deviation."""
    import tensorflow as tf

    network = classifiers["network"].estimator
    near = rows + 1e-5
    found = GraphExplainer(explanations["network"][EXPLANATION_FILE]).contributions(near, rows)
    point = tf.constant(rows.astype(np.float32))
    with tf.GradientTape() as tape:
        tape.watch(point)
        score = network(point, training=False)
    gradient = tape.gradient(score, point).numpy() * 1e-5
    close = np.abs(found - gradient) <= 1e-8 + 1e-2 * np.abs(gradient)
    # A few rows lie so near a bend that a unit changes its sign between them and their neighbour.
    assert close.all(axis=1).mean() > 0.95


def test_a_network_of_any_depth_is_explained() -> None:
    """One and three hidden layers add up as two do."""
    import keras

    random = np.random.default_rng(1)
    rows, usual = random.normal(size=(2, 30, 4))
    for sizes in ((5,), (6, 5, 3)):
        network = keras.Sequential(
            [
                keras.layers.Input((4,)),
                *(keras.layers.Dense(size, activation="relu") for size in sizes),
                keras.layers.Dense(1, activation="sigmoid"),
            ]
        )
        classifier = Classifier("network", network)
        found = GraphExplainer(explanation_files(classifier)[EXPLANATION_FILE]).contributions(rows, usual)
        expected = classifier.probability(rows) - classifier.probability(usual)
        np.testing.assert_allclose(found.sum(axis=1), expected, rtol=0, atol=ADDITIVITY)
        twin = np.array([deeplift(network, row, other) for row, other in zip(rows, usual, strict=True)])
        np.testing.assert_allclose(found, twin, rtol=0, atol=1e-12)


def test_a_network_of_other_layers_is_refused() -> None:
    """What the rule is not written for is not explained wrongly."""
    import keras

    layers = [keras.layers.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)]
    with pytest.raises(ValueError, match="tanh"):
        explanation_files(Classifier("network", keras.Sequential(layers)))


def test_a_graph_has_the_fixed_signature(explanations: dict[Model, dict[str, bytes]]) -> None:
    """Features and usual features in, contributions out."""
    loaded = onnx.load_from_string(explanations["network"][EXPLANATION_FILE])
    assert [one.name for one in loaded.graph.input] == ["features"]
    assert [one.name for one in loaded.graph.output] == ["contributions"]


def test_files_for_another_number_of_features_are_refused(
    explanations: dict[Model, dict[str, bytes]], exports: dict[Model, bytes], training_data: TrainingData
) -> None:
    """A graph and trees that take other rows than the model are no explanation of it."""
    narrow = fit_logistic_regression(training_data.normalised[:, :4], training_data.fraud, seed=0)
    with pytest.raises(ValueError, match=f"made for 4 features, the model takes {len(FEATURES)}"):
        explainer_of(explanation_files(narrow), Scorer(exports["logistic_regression"]))
