import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from training.measures import (
    auc,
    average_precision,
    brier,
    calibration_bins,
    calibration_error,
    cuts,
    gini,
    kolmogorov_smirnov,
    mean,
    precision_and_recall,
)

# Few distinct scores make ties, which are where such measures go wrong; every sample has both classes.
samples = st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 3)), min_size=2, max_size=60).filter(
    lambda rows: len({target for _, target, weight in rows if weight}) == 2
)
Sample = list[tuple[int, bool, int]]


def columns(rows: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores in 0 to 0.9, targets and weights."""
    score, target, weight = zip(*rows, strict=True)
    return np.array(score) / 10.0, np.array(target), np.array(weight, dtype=np.float64)


@given(samples)
def test_weighted_measures_are_scikit_learns(rows: Sample) -> None:
    """AUC, average precision, Brier score, precision and recall, with ties and weights, none among them."""
    score, target, weight = columns(rows)
    found = cuts(score, target, weight)
    assert auc(found) == pytest.approx(roc_auc_score(target, score, sample_weight=weight))
    assert gini(auc(found)) == pytest.approx(2 * roc_auc_score(target, score, sample_weight=weight) - 1)
    assert average_precision(found) == pytest.approx(average_precision_score(target, score, sample_weight=weight))
    assert brier(score, target, weight) == pytest.approx(brier_score_loss(target, score, sample_weight=weight))
    flagged = score >= 0.5
    if weight[flagged].sum() > 0:
        precision, recall = precision_and_recall(flagged, target, weight)
        assert precision == pytest.approx(precision_score(target, flagged, sample_weight=weight))
        assert recall == pytest.approx(recall_score(target, flagged, sample_weight=weight))


@given(samples)
def test_a_weight_is_that_many_rows(rows: Sample) -> None:
    """Rows that weigh count as copies do, in every measure; the distance of distributions is scipy's of the copies."""
    score, target, weight = columns(rows)
    copied = [np.repeat(one, weight.astype(int)) for one in (score, target, calibration_bins(score, 4))]
    ones = np.ones(len(copied[0]))
    assert kolmogorov_smirnov(cuts(score, target, weight)) == pytest.approx(
        ks_2samp(copied[0][copied[1]], copied[0][~copied[1]]).statistic
    )
    assert calibration_error(score, target, weight, calibration_bins(score, 4)) == pytest.approx(
        calibration_error(copied[0], copied[1], ones, copied[2])
    )
    assert mean(score, weight) == pytest.approx(copied[0].mean())


def test_calibration_error_is_that_of_scikit_learns_quantile_bins() -> None:
    """Where scores do not tie, bins are scikit-learn's of equal counts, each with the same share of rows."""
    draw = np.random.default_rng(5)
    score = draw.permutation(np.linspace(0.001, 0.999, 2000))
    target = draw.random(2000) < score**2
    rate, predicted = calibration_curve(target, score, n_bins=20, strategy="quantile")
    bin_of = calibration_bins(score, 20)
    assert np.bincount(bin_of).tolist() == pytest.approx([100] * 20, abs=1)
    assert calibration_error(score, target, np.ones(2000), bin_of) == pytest.approx(
        np.mean(np.abs(rate - predicted)), rel=0.01
    )


@given(st.lists(st.integers(0, 5), min_size=1, max_size=50), st.integers(1, 8))
def test_equal_scores_share_a_bin(scores: list[int], bins: int) -> None:
    """Bins are numbered in the order of scores, without gaps, and equal scores are never parted."""
    score = np.array(scores) / 5.0
    found = calibration_bins(score, bins)
    assert set(found) == set(range(found.max() + 1))
    assert found.max() < bins
    order = np.argsort(score, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    for value in set(scores):
        assert len(set(found[score == value / 5.0])) == 1


def test_a_measure_without_one_class_is_undefined() -> None:
    """Without targets, or without others, there is nothing to rank; without rows there is no mean."""
    score, weight = np.array([0.1, 0.9]), np.ones(2)
    none, every = np.zeros(2, dtype=np.bool_), np.ones(2, dtype=np.bool_)
    for target in (none, every):
        assert np.isnan(auc(cuts(score, target, weight)))
        assert np.isnan(kolmogorov_smirnov(cuts(score, target, weight)))
    assert np.isnan(average_precision(cuts(score, none, weight)))
    assert np.isnan(brier(score, none, np.zeros(2)))
    assert np.isnan(precision_and_recall(none, every, weight)[0])
