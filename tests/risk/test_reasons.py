"""Why a row scored high."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.explainer import explainer_of
from risk.explanation import Explanations
from risk.reasons import MAX_REASONS, reason_code, reasons_of
from risk.scorer import Scorer
from risk.usual_row import UsualRows
from schemas.reason import Reason
from training.explanation import explanation_files
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
EXPLAINER = explainer_of(explanation_files(CLASSIFIER), SCORER)
USUAL_ROWS = UsualRows(FEATURES, USUAL, CENTRE, SCALE)
CODES = {name: reason_code(name) for name in FEATURES}


def explanations_of(rows: slice) -> Explanations:
    """Return the explanations of some rows."""
    usual = USUAL_ROWS.of(RAW[rows])
    return Explanations(
        usual,
        SCORER.score(NORMALISED[rows]),
        SCORER.score(usual.normalised),
        EXPLAINER.contributions(NORMALISED[rows], usual.normalised),
    )


def explained(rows: slice) -> list[tuple[Reason, ...]]:
    """Return the reasons of some rows."""
    return reasons_of(FEATURES, RAW[rows], explanations_of(rows), reason_codes=CODES, currency="EUR")


def test_reasons_are_the_greatest_contributions_of_different_codes() -> None:
    """Reasons equal those found one row and one feature at a time, by the Python original's weights."""
    weights = CLASSIFIER.estimator.coef_[0]
    for row, reasons in enumerate(explained(slice(None))):
        usual = USUAL.copy()
        usual[AMOUNT] = RAW[row, OWN_MEAN]
        both = (np.array([RAW[row], usual]) - CENTRE) / SCALE
        score, usual_score = CLASSIFIER.probability(both)
        shares = weights * (both[0] - both[1])
        found = sorted(zip(shares * (score - usual_score) / shares.sum(), FEATURES, strict=True), reverse=True)
        expected = []
        codes: set[str] = set()
        for contribution, name in found:
            if contribution > 1e-12 and CODES[name] not in codes and len(codes) < MAX_REASONS:
                codes.add(CODES[name])
                expected.append((contribution, name))
        assert [reason.feature for reason in reasons] == [name for _, name in expected]
        for reason, (contribution, name) in zip(reasons, expected, strict=True):
            at = FEATURES.index(name)
            assert reason == Reason(CODES[name], name, RAW[row, at], usual[at], reason.contribution, reason.text)
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


def test_contributions_add_up_to_what_is_not_usual_of_the_score() -> None:
    """The sum over features is the score less the usual one, of every row."""
    explanations = explanations_of(slice(None))
    assert len(explanations.not_additive()) == 0
    difference = explanations.score - explanations.usual_score
    np.testing.assert_allclose(explanations.contributions.sum(axis=1), difference, rtol=0, atol=1e-14)


def test_a_reason_says_in_words_whose_usual_value_is_meant() -> None:
    """The amount is compared with the customer's own, a merchant's frauds with everyone's."""
    texts = {reason.feature: reason.text for row in explained(slice(None)) for reason in row}
    assert "EUR, usual for this customer " in texts["amount"]
    assert "%, usual " in texts["merchant_fraud_rate_7d"]
