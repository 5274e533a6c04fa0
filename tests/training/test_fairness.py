import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.bootstrap import Interval
from training.fairness import Group, fairness, pooled


def test_each_groups_figures_are_its_own() -> None:
    """Rates, calibration and AUC are those of the group's rows alone; ratios are to the largest group."""
    random = np.random.default_rng(1)
    values = random.choice(["north", "south", "west"], p=[0.5, 0.3, 0.2], size=3000).tolist()
    target = random.random(3000) < 0.3
    score = np.round(random.random(3000) * 0.6 + 0.3 * target.astype(np.float64), 2)
    flagged = score >= 0.55
    found = fairness(score, target, flagged, values, np.arange(3000) // 3, seed=2, replicates=50)
    assert [one.group for one in found] == ["north", "south", "west"]
    north = np.array(values) == "north"
    for one in found:
        chosen = np.array(values) == one.group
        expected = {
            "base_rate": target[chosen].mean(),
            "flagged_rate": flagged[chosen].mean(),
            "flagged_ratio": flagged[chosen].mean() / flagged[north].mean(),
            "true_positive_rate": flagged[chosen & target].mean(),
            "false_positive_rate": flagged[chosen & ~target].mean(),
            "calibration_gap": score[chosen].mean() - target[chosen].mean(),
            "auc": roc_auc_score(target[chosen], score[chosen]),
        }
        assert (one.rows, one.targets) == (chosen.sum(), target[chosen].sum())
        assert {name: interval.estimate for name, interval in one.measures.items()} == pytest.approx(expected)
        assert all(interval.low <= interval.high for interval in one.measures.values())
    assert found[0].measures["flagged_ratio"] == Interval(1.0, 1.0, 1.0)


def test_entities_are_drawn_with_their_rows_of_every_group() -> None:
    """The bounds are those of copying the drawn entities' rows and counting anew."""
    random = np.random.default_rng(6)
    values = random.choice(["north", "south"], p=[0.6, 0.4], size=400).tolist()
    entity = random.integers(0, 40, 400)
    flagged = random.random(400) < 0.1 + 0.5 * (entity < 10)
    found = fairness(random.random(400), flagged, flagged, values, entity, seed=7, replicates=100)
    draws = np.random.default_rng(7)
    rates = []
    for _ in range(100):
        drawn = draws.integers(40, size=40)
        rows = np.concatenate([np.flatnonzero(entity == one) for one in drawn])
        south = rows[np.array(values)[rows] == "south"]
        rates.append(flagged[south].mean())
    bounds = found[1].measures["flagged_rate"]
    assert (bounds.low, bounds.high) == pytest.approx(tuple(np.quantile(rates, [0.025, 0.975])))


def test_small_groups_are_pooled() -> None:
    """Fewer than 50 rows, and what comes after twenty groups, are told as one, and missing values are a group."""
    names, group = pooled(["a"] * 60 + ["b"] * 49 + ["c"] + [None] * 50)
    assert names == ["a", "missing", "other"]
    assert np.bincount(group).tolist() == [60, 50, 50]
    names, group = pooled([f"{at:02d}" for at in range(25) for _ in range(50 + at)])
    assert len(names) == 21
    assert names[0] == "24"
    assert np.bincount(group)[-1] == sum(50 + at for at in range(5))


def test_a_group_called_other_is_among_the_others() -> None:
    """There is one group of that name, whatever the column holds."""
    names, group = pooled(["other"] * 80 + ["a"] * 60 + ["b"] * 2)
    assert names == ["a", "other"]
    assert np.bincount(group).tolist() == [60, 82]


@pytest.mark.parametrize(
    ("low", "high", "unlike"), [(0.5, 0.7, True), (1.3, 2.0, True), (0.7, 0.9, False), (0.9, 1.1, False)]
)
def test_a_ratio_surely_outside_four_fifths_is_unlike(low: float, high: float, unlike: bool) -> None:
    """An interval that reaches into 0.8 to 1.25 proves nothing."""
    assert Group("a", 100, 9, {"flagged_ratio": Interval(low, low, high)}).unlike() is unlike


def test_few_rows_are_not_called_unlike() -> None:
    """Neither a handful of rows nor a group in which nothing was flagged shows a difference by itself."""
    assert not Group("a", 49, 9, {"flagged_ratio": Interval(0.1, 0.05, 0.2)}).unlike()
    assert not Group("a", 90, 9, {"flagged_ratio": Interval(0.0, 0.0, 0.0)}).unlike()


def test_a_group_without_targets_has_no_auc() -> None:
    """What is undefined is left out, and the rest is there."""
    values = ["a"] * 60 + ["b"] * 60
    target = np.arange(120) < 30
    score = np.linspace(1.0, 0.0, 120)
    found = fairness(score, target, score > 0.9, values, np.arange(120), seed=0, replicates=20)
    assert found[1].targets == 0
    assert not {"auc", "true_positive_rate"} & set(found[1].measures)
    assert found[1].measures["false_positive_rate"].estimate == 0.0
