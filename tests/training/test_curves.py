import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve as of_precision_recall
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as of_roc

from training.curves import (
    POINTS,
    gains_curve,
    precision_recall_curve,
    reliability,
    roc_curve,
    score_histogram,
)
from training.measures import calibration_bins, cuts

samples = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: len({target for _, target in rows}) == 2
)


@given(samples)
def test_curves_are_scikit_learns(rows: list[tuple[int, bool]]) -> None:
    """Every point of the short ROC and precision-recall curves, ties among them, is scikit-learn's."""
    score, target = (np.array(column) for column in zip(*rows, strict=True))
    found = cuts(score / 10.0, target, np.ones(len(rows)))
    false_positive, true_positive, _ = of_roc(target, score, drop_intermediate=False)
    curve = roc_curve(found)
    assert curve.x == pytest.approx(false_positive.tolist())
    assert curve.y == pytest.approx(true_positive.tolist())
    precision, recall, _ = of_precision_recall(target, score)
    curve = precision_recall_curve(found)
    # scikit-learn goes from the lowest score up, and ends in a point of its own.
    assert curve.x == pytest.approx(recall[-2::-1].tolist())
    assert curve.y == pytest.approx(precision[-2::-1].tolist())


@given(samples)
def test_gains_are_counted(rows: list[tuple[int, bool]]) -> None:
    """Each point says what share of targets the rows of the highest scores hold."""
    score, target = (np.array(column) for column in zip(*rows, strict=True))
    curve = gains_curve(cuts(score / 10.0, target, np.ones(len(rows))))
    thresholds = [np.inf, *sorted(set(score.tolist()), reverse=True)]
    assert curve.x == pytest.approx([(score >= one).mean() for one in thresholds])
    assert curve.y == pytest.approx([target[score >= one].sum() / target.sum() for one in thresholds])


def test_a_long_curve_is_thinned_without_being_bent() -> None:
    """Two hundred points at most, the ends among them, all of them of the whole curve and nowhere far apart."""
    random = np.random.default_rng(1)
    target = random.random(20_000) < 0.05
    score = random.random(20_000) * 0.6 + 0.4 * target
    thin = roc_curve(cuts(score, target, np.ones(20_000)))
    assert len(thin.x) <= POINTS
    assert (thin.x[0], thin.y[0], thin.x[-1], thin.y[-1]) == (0.0, 0.0, 1.0, 1.0)
    false_positive, true_positive, _ = of_roc(target, score, drop_intermediate=False)
    whole = set(zip(false_positive.tolist(), true_positive.tolist(), strict=True))
    assert set(zip(thin.x, thin.y, strict=True)) <= whole
    assert np.trapezoid(thin.y, thin.x) == pytest.approx(roc_auc_score(target, score), abs=0.002)
    assert max(np.diff(thin.x).max(), np.diff(thin.y).max()) < 0.02


def test_reliability_is_scikit_learns_calibration_curve() -> None:
    """The bins' mean scores and shares of targets, and their rows add up."""
    random = np.random.default_rng(2)
    score = random.permutation(np.linspace(0.001, 0.999, 2000))
    target = random.random(2000) < score
    bins = reliability(score, target, calibration_bins(score, 10))
    rate, predicted = calibration_curve(target, score, n_bins=10, strategy="quantile")
    assert [one.base_rate for one in bins] == pytest.approx(rate.tolist(), abs=0.01)
    assert [one.mean_score for one in bins] == pytest.approx(predicted.tolist(), abs=0.001)
    assert sum(one.rows for one in bins) == 2000


@given(samples)
def test_a_histogram_loses_no_row(rows: list[tuple[int, bool]]) -> None:
    """Targets and others are counted apart, the ends of 0 to 1 among them."""
    score, target = (np.array(column) for column in zip(*rows, strict=True))
    found = score_histogram(score / 9.0, target)
    assert len(found.edges) == len(found.targets) + 1
    assert (sum(found.targets), sum(found.others)) == (target.sum(), (~target).sum())
