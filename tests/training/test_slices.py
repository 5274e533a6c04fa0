import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import entropy, ttest_ind
from sklearn.metrics import log_loss

from training.slices import excess_p_value, log_losses, worst_slices


def test_losses_are_scikit_learns() -> None:
    """Their mean is the log loss, certainty that fails included."""
    score, target = np.array([0.2, 0.9, 1.0, 0.5]), np.array([False, True, True, True])
    assert log_losses(score, target).mean() == pytest.approx(log_loss(target, np.clip(score, 1e-6, 1 - 1e-6)))
    assert log_losses(np.array([1.0]), np.array([False]))[0] == pytest.approx(-np.log(1e-6))


def test_rows_that_depend_on_each_other_prove_less() -> None:
    """The p-value is that of statsmodels' regression on a flag with clustered errors, and Welch's for single rows."""
    random = np.random.default_rng(4)
    entity = np.repeat(np.arange(80), 25)
    rows = random.random(2000) < 0.4
    loss = random.gamma(1.0, size=2000) + 0.1 * rows + np.repeat(random.gamma(1.0, size=80), 25)
    model = sm.OLS(loss, sm.add_constant(rows.astype(float)))
    clustered = model.fit(cov_type="cluster", cov_kwds={"groups": entity, "use_correction": False})
    assert excess_p_value(loss, rows, entity) == pytest.approx(clustered.pvalues[1] / 2.0, rel=1e-6)
    single = ttest_ind(loss[rows], loss[~rows], equal_var=False, alternative="greater").pvalue
    assert excess_p_value(loss, rows, np.arange(2000)) == pytest.approx(single, rel=0.05)


def planted(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return scores, targets and features where the scores are wrong where a is high and b is 1, and nowhere else."""
    random = np.random.default_rng(seed)
    features = np.stack([random.random(6000), random.integers(0, 2, 6000), random.normal(size=6000)], axis=1)
    chance = np.where((features[:, 0] > 0.8) & (features[:, 1] == 1.0), 0.7, 0.1)
    return np.full(6000, 0.1), random.random(6000) < chance, features


def test_a_planted_slice_is_found_first() -> None:
    """The pair in which the scores are wrong has the greatest lift, with its figures, and calm features are absent."""
    score, target, features = planted(5)
    found = worst_slices(score, target, features, ["a", "b", "calm"], np.arange(6000), {})
    worst = found[0]
    assert "a > 0.8" in worst.where or "a > 0.7" in worst.where
    assert "b = 1" in worst.where
    inside = (features[:, 0] > np.quantile(features[:, 0], 0.8)) & (features[:, 1] == 1.0)
    assert (worst.rows, worst.targets) == (inside.sum(), target[inside].sum())
    assert worst.log_loss == pytest.approx(log_losses(score, target)[inside].mean())
    assert worst.lift == pytest.approx(worst.log_loss - log_losses(score, target).mean())
    assert worst.expected_loss == pytest.approx(entropy([0.1, 0.9]))
    assert worst.log_loss > 3.0 * worst.expected_loss
    assert worst.base_rate > 0.6 > 0.2 > worst.mean_score
    assert worst.q < 1e-6
    assert not any(one.where.startswith("calm") for one in found)


def test_a_pair_is_told_where_it_is_worse_than_its_parts() -> None:
    """A failing feature is told alone: with a feature that has nothing to do with it, it is no worse."""
    random = np.random.default_rng(7)
    features = np.stack([random.integers(0, 2, 8000), random.integers(0, 2, 8000)], axis=1).astype(np.float64)
    target = random.random(8000) < np.where(features[:, 0] == 1.0, 0.5, 0.1)
    found = worst_slices(np.full(8000, 0.1), target, features, ["a", "b"], np.arange(8000), {})
    alone = next(one for one in found if one.where == "a = 1")
    assert all(one.lift > alone.lift for one in found if one is not alone)
    assert all(one.lift > 0.0 for one in found)
    assert len(found) <= 2


def test_scores_that_are_right_have_few_failing_slices() -> None:
    """Where nothing is planted, of 40 samples of many slices hardly any shows one."""
    false = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        features = random.normal(size=(2000, 5))
        target = random.random(2000) < 0.3
        false += bool(worst_slices(np.full(2000, 0.3), target, features, list("abcde"), np.arange(2000), {}))
    assert false <= 6


def test_small_slices_and_missing_values() -> None:
    """A slice of fewer rows than one in a hundred is not told; missing values are a slice of their own."""
    score, target, features = planted(6)
    features[:1000, 2] = np.nan
    target[:1000] = True
    features[-40:, 0] = np.nan
    target[-40:] = True
    found = worst_slices(score, target, features, ["a", "b", "gaps"], np.arange(6000), {})
    assert any(one.where == "gaps missing" for one in found)
    assert not any("a missing" in one.where for one in found)
    assert min(one.rows for one in found) >= 60


def test_a_slice_of_a_category_has_its_name() -> None:
    """However many categories there are, the one in which the scores are wrong is told alone, by its name."""
    random = np.random.default_rng(8)
    features = random.integers(0, 9, (6000, 1)).astype(np.float64)
    target = random.random(6000) < np.where(features[:, 0] == 7.0, 0.6, 0.1)
    towns = [f"town {code}" for code in range(9)]
    found = worst_slices(np.full(6000, 0.1), target, features, ["home"], np.arange(6000), {"home": towns})
    assert [one.where for one in found] == ["home = town 7"]
    assert found[0].rows == (features[:, 0] == 7.0).sum()
