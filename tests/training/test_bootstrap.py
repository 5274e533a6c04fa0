import numpy as np
import pytest
from scipy.stats import bootstrap

from training.bootstrap import bootstrap_intervals


def test_intervals_of_single_rows_are_scipys() -> None:
    """Where every row is an entity of its own, the bounds are those of scipy's percentile bootstrap."""
    values = np.random.default_rng(1).gamma(2.0, size=300)
    found = bootstrap_intervals(lambda drawn: {"mean": float(values @ drawn / 300)}, 300, seed=2, replicates=4000)
    peer = bootstrap((values,), np.mean, n_resamples=4000, method="percentile", rng=3).confidence_interval
    assert found["mean"].estimate == pytest.approx(values.mean())
    assert found["mean"].low == pytest.approx(peer.low, abs=0.01)
    assert found["mean"].high == pytest.approx(peer.high, abs=0.01)


def test_rows_of_an_entity_are_drawn_together() -> None:
    """The replicates are those of copying each drawn entity's rows; equal rows of an entity add no certainty."""
    random = np.random.default_rng(4)
    means = random.normal(size=50)
    entity = np.repeat(np.arange(50), 20)
    values = means[entity]
    clustered = bootstrap_intervals(
        lambda drawn: {"mean": float(values @ drawn[entity] / drawn[entity].sum())}, 50, seed=5, replicates=1000
    )["mean"]
    alone = bootstrap_intervals(lambda drawn: {"mean": float(means @ drawn / 50)}, 50, seed=5, replicates=1000)["mean"]
    assert (clustered.low, clustered.high) == pytest.approx((alone.low, alone.high))
    copied = np.random.default_rng(5).integers(50, size=(1000, 50))
    replicates = [np.concatenate([values[entity == one] for one in drawn]).mean() for drawn in copied]
    assert (clustered.low, clustered.high) == pytest.approx(tuple(np.quantile(replicates, [0.025, 0.975])))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 samples, about 95 in 100 intervals hold the true mean."""
    random = np.random.default_rng(6)

    def holds(values: np.ndarray, seed: int) -> bool:
        found = bootstrap_intervals(lambda drawn: {"mean": float(values @ drawn / 60)}, 60, seed=seed)["mean"]
        return found.low <= 0.0 <= found.high

    assert 180 <= sum(holds(random.normal(size=60), seed) for seed in range(200)) <= 198


def test_what_is_undefined_is_left_out() -> None:
    """A measure without a value has no interval; replicates without one are passed over, not counted as 0."""

    def measure(drawn: np.ndarray) -> dict[str, float]:
        return {
            "never": np.nan,
            "seldom": 1.0 if drawn[0] > 0 else np.nan,
            "first_only": 2.0 if (drawn == 1).all() else np.nan,
        }

    found = bootstrap_intervals(measure, 30, seed=7)
    assert set(found) == {"seldom"}
    assert (found["seldom"].low, found["seldom"].high) == (1.0, 1.0)


def test_the_same_seed_gives_the_same_bounds() -> None:
    """The interval is a function of its arguments."""
    values = np.arange(30.0)
    first, again, other = (
        bootstrap_intervals(lambda drawn: {"sum": float(values @ drawn)}, 30, seed=seed) for seed in (8, 8, 9)
    )
    assert first == again != other
