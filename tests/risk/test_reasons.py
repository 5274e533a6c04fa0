"""Why a row scored high."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.reasons import MAX_REASONS, explain, reason_code
from risk.scorer import Scorer
from schemas.reason import Reason
from training.linear_models import fit_logistic_regression
from training.onnx_export import export_onnx

FEATURES = (
    "amount",
    "is_night",
    "customer_count_1d",
    "customer_decayed_count_1d",
    "customer_decayed_mean_30d",
    "merchant_fraud_rate_7d",
)
AMOUNT, OWN_MEAN = FEATURES.index("amount"), FEATURES.index("customer_decayed_mean_30d")
RANDOM = np.random.default_rng(8)
RAW = RANDOM.gamma(2.0, 3.0, size=(300, len(FEATURES)))
CENTRE, SCALE = RAW.mean(axis=0), RAW.std(axis=0)
NORMALISED = (RAW - CENTRE) / SCALE
USUAL = CENTRE * 0.9
CLASSIFIER = fit_logistic_regression(NORMALISED, NORMALISED @ [2.0, 1.0, 1.0, 1.0, -1.0, 2.0] > 1.0, seed=0)
SCORER = Scorer(export_onnx(CLASSIFIER))
CODES = {name: reason_code(name) for name in FEATURES}


def explained(rows: slice) -> list[tuple[Reason, ...]]:
    """Return the reasons of some rows."""
    return explain(
        SCORER,
        FEATURES,
        RAW[rows],
        NORMALISED[rows],
        usual_values=USUAL,
        centre=CENTRE,
        scale=SCALE,
        reason_codes=CODES,
    )


def test_a_contribution_is_what_the_score_loses_when_the_feature_is_usual() -> None:
    """Reasons equal those found one row and one feature at a time, by the Python original of the model."""
    for row, reasons in enumerate(explained(slice(None))):
        found = []
        for at, name in enumerate(FEATURES):
            usual = RAW[row, OWN_MEAN] if at == AMOUNT else USUAL[at]
            changed = RAW[row].copy()
            changed[at] = usual
            before, after = CLASSIFIER.probability((np.array([RAW[row], changed]) - CENTRE) / SCALE)
            found.append((before - after, name, RAW[row, at], usual))
        found.sort(reverse=True)
        expected = []
        codes: set[str] = set()
        for one in found:
            if one[0] > 1e-12 and CODES[one[1]] not in codes and len(codes) < MAX_REASONS:
                codes.add(CODES[one[1]])
                expected.append(one)
        assert [reason.feature for reason in reasons] == [one[1] for one in expected]
        for reason, (contribution, name, value, usual) in zip(reasons, expected, strict=True):
            assert reason == Reason(CODES[name], name, value, usual, reason.contribution)
            assert reason.contribution == pytest.approx(contribution, abs=1e-12)


@given(cut=st.integers(0, 60))
def test_reasons_do_not_depend_on_the_batch(cut: int) -> None:
    """Rows explained in two batches have the very reasons of one batch."""
    assert explained(slice(0, cut)) + explained(slice(cut, 60)) == explained(slice(0, 60))


def test_reasons_are_few_positive_of_different_codes_and_in_falling_order() -> None:
    """An alert has at most three reasons, the strongest first, each of which raised the score."""
    for reasons in explained(slice(None)):
        contributions = [reason.contribution for reason in reasons]
        assert len(reasons) <= MAX_REASONS
        assert contributions == sorted(contributions, reverse=True)
        assert all(one > 0.0 for one in contributions)
        assert len({reason.code for reason in reasons}) == len(reasons)


def test_a_customer_without_a_past_is_compared_with_everyone() -> None:
    """Before there is a decayed mean, the usual amount is that of training."""
    raw = RAW[:50].copy()
    raw[:, OWN_MEAN] = 0.0
    raw[:, AMOUNT] = 100.0
    reasons = explain(
        SCORER,
        FEATURES,
        raw,
        (raw - CENTRE) / SCALE,
        usual_values=USUAL,
        centre=CENTRE,
        scale=SCALE,
        reason_codes=CODES,
    )
    usual_amounts = {reason.usual_value for row in reasons for reason in row if reason.feature == "amount"}
    assert usual_amounts == {USUAL[AMOUNT]}


def test_a_feature_that_was_constant_in_training_is_no_reason() -> None:
    """A scale of zero, for which the normaliser always gives 0, contributes nothing."""
    scale = SCALE.copy()
    scale[AMOUNT] = 0.0
    normalised = NORMALISED.copy()
    normalised[:, AMOUNT] = 0.0
    reasons = explain(
        SCORER,
        FEATURES,
        RAW,
        normalised,
        usual_values=USUAL,
        centre=CENTRE,
        scale=scale,
        reason_codes=CODES,
    )
    assert all(reason.feature != "amount" for row in reasons for reason in row)
