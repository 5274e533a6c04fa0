"""Calibrations: their graphs are their formulas, and what they give are probabilities."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from risk.scorer import Scorer
from training.calibration import By, fit_calibration
from training.graph import FEATURES, Graph

RANDOM = np.random.default_rng(6)
SCORE = RANDOM.beta(0.5, 3.0, 20_000)
TARGET = RANDOM.random(20_000) < expit(1.7 * np.log(SCORE / (1.0 - SCORE)) - 0.4)


@pytest.mark.parametrize("by", ["platt", "isotonic"])
def test_the_graph_is_the_formula(by: By) -> None:
    """What leaves as ONNX gives the same probabilities, at the ends and between the points as well."""
    calibration = fit_calibration(SCORE, TARGET, by=by)
    graph = Graph()
    score = graph.flat(graph.columns(FEATURES, [0]))
    model = graph.serialise({"score": calibration.add(graph, score)}, width=1)
    tried = np.concatenate([[0.0, 1.0, 1e-300, 1.0 - 1e-16], RANDOM.random(10_000), SCORE[:1000]])
    np.testing.assert_allclose(Scorer(model).score(tried[:, None]), calibration.apply(tried), rtol=0, atol=1e-12)


@pytest.mark.parametrize("by", ["platt", "isotonic"])
def test_calibrated_scores_are_probabilities(by: By) -> None:
    """In each tenth of the scores the mean is near the share of events, which it was not before."""
    probability = fit_calibration(SCORE, TARGET, by=by).apply(SCORE)
    tenths = np.argsort(SCORE).reshape(10, -1)
    given, true = probability[tenths].mean(axis=1), TARGET[tenths].mean(axis=1)
    assert np.abs(given - true).max() < 0.02
    assert np.abs(SCORE[tenths].mean(axis=1) - true).max() > 0.03


def test_calibrations_are_those_of_scikit_learn() -> None:
    """Platt's sigmoid is a logistic regression on log odds; isotonic regression interpolates as its peer does."""
    log_odds = np.log(SCORE / (1.0 - SCORE))[:, None]
    peer = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds, TARGET)
    np.testing.assert_allclose(
        fit_calibration(SCORE, TARGET, by="platt").apply(SCORE), peer.predict_proba(log_odds)[:, 1], atol=2e-3
    )
    tried = np.linspace(0.0, 1.0, 5_001)
    expected = IsotonicRegression(out_of_bounds="clip").fit(SCORE, TARGET).predict(tried)
    np.testing.assert_allclose(fit_calibration(SCORE, TARGET, by="isotonic").apply(tried), expected, atol=1e-12)


def test_classes_that_part_have_a_finite_calibration() -> None:
    """Platt's smoothed targets keep the slope finite where every score is right."""
    score = np.linspace(0.01, 0.99, 100)
    probability = fit_calibration(score, score > 0.5, by="platt").apply(np.array([0.0, 0.5, 1.0]))
    assert 0.0 <= probability[0] < 0.05
    assert 0.95 < probability[2] <= 1.0
    assert np.isfinite(probability).all()
