import numpy as np
import pytest
from sklearn.inspection import permutation_importance as of_scikit_learn
from sklearn.linear_model import LogisticRegression

from training.importance import permutation_importance


def test_importance_is_scikit_learns() -> None:
    """Drops of average precision agree with scikit-learn's within what shuffling leaves to chance."""
    random = np.random.default_rng(1)
    features = random.normal(size=(4000, 3))
    target = features[:, 0] + 0.4 * features[:, 1] + random.normal(size=4000) > 1.5
    fitted = LogisticRegression().fit(features, target)
    found = permutation_importance(
        lambda rows: np.asarray(fitted.predict_proba(rows)[:, 1]), features, target, ["much", "some", "none"], seed=2
    )
    peer = of_scikit_learn(fitted, features, target, scoring="average_precision", n_repeats=20, random_state=3)
    assert [one.feature for one in found] == ["much", "some", "none"]
    for one, drop in zip(found, peer.importances_mean, strict=True):
        assert one.drop == pytest.approx(drop, abs=0.02)


def test_a_feature_that_is_not_looked_at_matters_nothing() -> None:
    """Its drop is exactly 0, and the features given are left as they were."""
    random = np.random.default_rng(4)
    features = random.random((500, 2))
    before = features.copy()
    found = permutation_importance(lambda rows: rows[:, 0], features, features[:, 0] > 0.7, ["a", "b"], seed=0)
    assert found[1].feature == "b"
    assert (found[1].drop, found[1].deviation) == (0.0, 0.0)
    np.testing.assert_array_equal(features, before)
