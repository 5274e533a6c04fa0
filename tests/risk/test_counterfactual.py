"""What would not have been an alert."""

import hashlib

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from risk.bundle import FEATURES, GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE, Bundle, open_bundle
from risk.counterfactual import (
    CounterfactualError,
    LowerAmount,
    UsualFeatures,
    counterfactual,
    rows_at_amounts,
)
from risk.customer_profile import CUSTOMER_FEATURES, DAY_NS, CustomerProfile
from risk.decision import Thresholds
from risk.golden import golden_bytes
from risk.manifest import manifest_bytes
from tests.small_bundle import small_bundle
from training.simulator import START_NS

Rows = npt.NDArray[np.float64]
AMOUNT = FEATURES.index("amount")


def bundle_of(features: tuple[str, ...] = FEATURES, review: float = 0.5, half_life_days: float | None = None) -> Bundle:
    """Return the small bundle, whose score rises with its first feature, opened, with another threshold."""
    small = small_bundle(features, half_life_days=half_life_days)
    files = {MODEL_FILE: small.model, GOLDEN_FILE: golden_bytes(small.golden), **small.explanation}
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = msgspec.structs.replace(small.manifest, files=hashes, thresholds=Thresholds(review, 0.99))
    return open_bundle({**files, MANIFEST_FILE: manifest_bytes(manifest)})


def raw_of(bundle: Bundle, amount: float = 300.0) -> Rows:
    """Return a row of a customer without spread, in which all but the amount is usual."""
    manifest = bundle.manifest
    raw = [0.0 if name.startswith("customer_amount_z") else manifest.usual_values[name] for name in manifest.features]
    return np.array([amount, *raw[1:]])


def score(bundle: Bundle, rows: Rows) -> Rows:
    """Return the scores of raw rows by the statistics of training."""
    statistics = bundle.manifest.normaliser
    return bundle.scorer.score(np.asarray((rows - np.array(statistics.centre)) / np.array(statistics.scale)))


def test_features_at_another_amount_are_those_that_the_profile_would_give() -> None:
    """A customer's last transaction, paid with another amount, has the very features that are computed for it."""
    random = np.random.default_rng(2)
    times = START_NS + np.sort(random.integers(0, 20 * DAY_NS, 30))
    amounts = np.round(random.gamma(2.0, 30.0, 30), 2)
    features = CustomerProfile().advance(["ann"] * 30, times, amounts)
    for other in (0.0, 1.23, 55.5, 1_000.0):
        changed = amounts.copy()
        changed[-1] = other
        expected = CustomerProfile().advance(["ann"] * 30, times, changed)[-1]
        found = rows_at_amounts(CUSTOMER_FEATURES, features[-1], np.array([other]))[0]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert np.count_nonzero(expected != features[-1]) >= 7


def test_a_customers_first_transaction_has_another_amount_too() -> None:
    """Without a past the amount has no distance from one."""
    time = np.array([START_NS])
    raw = CustomerProfile().advance(["ann"], time, np.array([90.0]))[0]
    expected = CustomerProfile().advance(["ann"], time, np.array([30.0]))[0]
    np.testing.assert_allclose(rows_at_amounts(CUSTOMER_FEATURES, raw, np.array([30.0]))[0], expected, atol=1e-12)


@pytest.mark.parametrize(("name", "needed"), [("customer_mean_amount_7d", "count"), ("customer_amount_z_7d", "mean")])
def test_a_feature_without_what_it_is_computed_with_is_an_error(name: str, needed: str) -> None:
    """It is not guessed what the feature would have been."""
    with pytest.raises(CounterfactualError, match=f"{name} without customer_.*{needed}_7d"):
        rows_at_amounts(("amount", name), np.array([5.0, 1.0]), np.array([4.0]))


def test_the_least_reduction_is_found_to_the_cent() -> None:
    """One cent less off would still be an alert, and the score told is that at the lower amount."""
    bundle = bundle_of()
    raw = raw_of(bundle)
    before = float(score(bundle, raw[None])[0])
    assert before >= 0.5
    found = counterfactual(bundle, raw, before)
    assert isinstance(found, LowerAmount)
    assert found.amount == pytest.approx(300.0 - found.reduction, abs=1e-9)
    tried = rows_at_amounts(FEATURES, raw, np.array([found.amount, found.amount + 0.01]))
    after = score(bundle, tried)
    assert after[0] < 0.5 <= after[1]
    assert found.score == pytest.approx(after[0], abs=1e-12)
    every_cent = score(bundle, rows_at_amounts(FEATURES, raw, 300.0 - np.arange(0, 30_000) / 100.0))
    assert round(found.reduction * 100) == np.flatnonzero(every_cent < 0.5)[0]


def test_without_a_lower_amount_features_at_their_usual_values_are_named() -> None:
    """Where even nothing to pay would be an alert, as few features as the greedy choice finds are told."""
    bundle = bundle_of()
    raw = raw_of(bundle, amount=0.0)
    lowering = score(bundle, raw + np.diag(np.array(bundle.manifest.normaliser.scale))) < score(bundle, raw[None])
    far = [at for at in np.flatnonzero(lowering).tolist() if FEATURES[at].startswith("merchant")]
    assert len(far) >= 2
    raw[far] -= 100.0 * np.array(bundle.manifest.normaliser.scale)[far]
    before = float(score(bundle, raw[None])[0])
    assert before >= 0.5
    found = counterfactual(bundle, raw, before)
    assert isinstance(found, UsualFeatures)
    assert set(found.features) <= {FEATURES[at] for at in far}
    changed = raw.copy()
    for name in found.features:
        assert score(bundle, changed[None])[0] >= 0.5
        changed[FEATURES.index(name)] = bundle.manifest.usual_values[name]
    assert float(score(bundle, changed[None])[0]) == pytest.approx(found.score, abs=1e-12)
    assert found.score < 0.5


def test_where_the_usual_row_is_an_alert_too_there_is_no_counterfactual() -> None:
    """Nothing is made up."""
    bundle = bundle_of(review=0.0)
    raw = raw_of(bundle)
    assert counterfactual(bundle, raw, float(score(bundle, raw[None])[0])) is None


def test_a_score_that_does_not_come_out_again_has_no_counterfactual() -> None:
    """An alert that an adapted normaliser scored is not explained by another."""
    bundle = bundle_of(half_life_days=3.0)
    raw = raw_of(bundle)
    before = float(score(bundle, raw[None])[0])
    assert counterfactual(bundle, raw, before) is not None
    with pytest.raises(CounterfactualError, match="by the statistics of training"):
        counterfactual(bundle, raw, before - 1e-5)


def test_a_model_without_the_amount_is_asked_for_features_alone() -> None:
    """No amount can be lower where the model takes none."""
    bundle = bundle_of(FEATURES[4:7] + FEATURES[19:22])
    raw = raw_of(bundle)
    found = counterfactual(bundle, raw, float(score(bundle, raw[None])[0]))
    assert isinstance(found, UsualFeatures)
    assert found.features == ("customer_count_1d",)
