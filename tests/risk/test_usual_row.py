"""What a row is compared with."""

import numpy as np

from risk.bundle import FEATURES
from risk.normaliser import LIMIT, Normaliser
from risk.usual_row import UsualRows

WIDTH = len(FEATURES)
RANDOM = np.random.default_rng(1)
CENTRE, SCALE, VALUES = RANDOM.gamma(2.0, 3.0, size=(3, WIDTH))
RAW = RANDOM.gamma(2.0, 3.0, size=(20, WIDTH))
ROWS = UsualRows(FEATURES, VALUES, CENTRE, SCALE)
OWN_MEAN = FEATURES.index("customer_decayed_mean_30d")


def test_amounts_are_compared_with_the_customers_own() -> None:
    """Amounts and means take the customer's long mean, distances 0, the ratio 1, all else the mean of training."""
    usual = ROWS.of(RAW)
    for at, name in enumerate(FEATURES):
        if name == "amount" or ("_mean_" in name and name != "customer_decayed_mean_30d"):
            expected = RAW[:, OWN_MEAN]
        elif name.startswith("customer_amount_z"):
            expected = np.zeros(20)
        elif name == "customer_amount_ratio":
            expected = np.ones(20)
        else:
            expected = np.full(20, VALUES[at])
        np.testing.assert_array_equal(usual.raw[:, at], expected)
        assert usual.own[:, at].all() == usual.own[:, at].any() == (not np.all(expected == VALUES[at]))
    np.testing.assert_allclose(usual.normalised, (usual.raw - CENTRE) / SCALE, rtol=1e-12)


def test_a_customer_without_a_past_is_compared_with_everyone() -> None:
    """Before there is a decayed mean, every usual value is that of training."""
    raw = RAW.copy()
    raw[::2, OWN_MEAN] = 0.0
    usual = ROWS.of(raw)
    np.testing.assert_array_equal(usual.raw[::2], np.tile(VALUES, (10, 1)))
    assert not usual.own[::2].any()
    assert usual.own[1::2].any(axis=1).all()


def test_a_model_without_the_long_mean_compares_with_everyone() -> None:
    """What the model does not take is not known here."""
    some = ("amount", "customer_mean_amount_7d")
    usual = UsualRows(some, VALUES[:2], CENTRE[:2], SCALE[:2]).of(RAW[:, :2])
    np.testing.assert_array_equal(usual.raw, np.tile(VALUES[:2], (20, 1)))
    assert not usual.own.any()


def test_what_was_constant_in_training_is_usual_always() -> None:
    """A scale of zero, for which the normaliser always gives 0, gives 0 here too; and far values are cut off."""
    scale = SCALE.copy()
    scale[0] = 0.0
    scale[OWN_MEAN] = 1e-9
    usual = UsualRows(FEATURES, VALUES, CENTRE, scale).of(RAW)
    assert np.all(usual.normalised[:, 0] == 0.0)
    assert np.all(np.abs(usual.normalised[:, OWN_MEAN]) == LIMIT)
    normaliser = Normaliser("zscore", CENTRE, scale, half_life_days=None)
    np.testing.assert_array_equal(usual.normalised, normaliser.advance(usual.raw, np.zeros(20, dtype=np.int64)))
