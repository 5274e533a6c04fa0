import numpy as np

from training.drift import population_stability
from training.reference import reference_of


def test_each_decile_holds_a_tenth() -> None:
    """Of continuous values every bin has the same share, and none is missing."""
    values = np.random.default_rng(1).normal(size=(10_000, 1))
    found = reference_of(["amount"], values, 1.0 / (1.0 + np.exp(-values[:, 0])))
    for shares in (found.scores, found.features["amount"]):
        assert np.allclose(shares.shares, 0.1, atol=1e-4)
        assert shares.missing == 0.0
    assert found.transactions == 10_000


def test_the_bins_are_those_of_the_report_on_drift() -> None:
    """Of tied and missing values, the index over these shares is the one that an evaluation reports."""
    draw = np.random.default_rng(2)
    values = draw.choice([0.0, 1.0, 2.0, np.nan], 5_000, p=[0.6, 0.2, 0.1, 0.1])
    later = draw.choice([0.0, 1.0, 2.0, np.nan], 5_000, p=[0.4, 0.3, 0.1, 0.2])
    reference, live = (reference_of(["a"], one[:, None], one * 0.0).features["a"] for one in (values, later))
    assert reference.edges == live.edges
    shares = [np.maximum([*one.shares, one.missing], 1e-4) for one in (reference, live)]
    index = float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))
    assert abs(index - population_stability("a", values, later).psi) < 1e-12


def test_a_feature_that_is_missing_whole_has_one_bin_that_stays_empty() -> None:
    """All of it is missing."""
    shares = reference_of(["a"], np.full((3, 1), np.nan), np.zeros(3)).features["a"]
    assert (shares.edges, shares.shares, shares.missing) == ((), (0.0,), 1.0)
