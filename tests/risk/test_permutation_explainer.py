"""Contributions by scores alone."""

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from risk.permutation_explainer import PermutationExplainer
from risk.scorer import Scorer
from tests.shapley import shapley_values

WIDTH = 5
RANDOM = np.random.default_rng(3)
PAIRS = np.triu(RANDOM.normal(size=(WIDTH, WIDTH)), 1) / 4.0
# The fourth feature is one that the model does not take.
PAIRS[3, :] = PAIRS[:, 3] = 0.0
ROWS, USUAL = RANDOM.normal(size=(60, WIDTH)), RANDOM.normal(size=(60, WIDTH))


def log_odds(row: npt.NDArray[np.float64]) -> float:
    """Return the sum of products of two features each."""
    return float(row @ PAIRS @ row)


def model_of_pairs() -> bytes:
    """Return the model of these log odds."""
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["features", "pairs"], ["weighted"]),
            helper.make_node("Mul", ["features", "weighted"], ["products"]),
            helper.make_node("MatMul", ["products", "ones"], ["logits"]),
            helper.make_node("Reshape", ["logits", "flat"], ["logit"]),
            helper.make_node("Sigmoid", ["logit"], ["score"]),
        ],
        "pairs",
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["rows", WIDTH])],
        [helper.make_tensor_value_info("score", TensorProto.DOUBLE, ["rows"])],
        [
            numpy_helper.from_array(PAIRS, "pairs"),
            numpy_helper.from_array(np.ones((WIDTH, 1)), "ones"),
            numpy_helper.from_array(np.array([-1]), "flat"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


SCORER = Scorer(model_of_pairs())
EXPLAINER = PermutationExplainer(SCORER)
FOUND = EXPLAINER.contributions(ROWS, USUAL)


def test_interactions_of_two_features_are_shared_as_shapley_shares_them() -> None:
    """Two orders, one the other's reverse, are exact where no three features interact."""
    score, usual = SCORER.score(ROWS), SCORER.score(USUAL)
    for at in range(20):
        difference = log_odds(ROWS[at]) - log_odds(USUAL[at])
        expected = shapley_values(log_odds, ROWS[at], USUAL[at]) * (score[at] - usual[at]) / difference
        np.testing.assert_allclose(FOUND[at], expected, rtol=0, atol=1e-10)


def test_contributions_add_up_and_a_dummy_has_none() -> None:
    """Their sum is the difference of scores; what the model does not take contributes nothing."""
    np.testing.assert_allclose(FOUND.sum(axis=1), SCORER.score(ROWS) - SCORER.score(USUAL), rtol=0, atol=1e-13)
    assert np.all(np.abs(FOUND[:, 3]) < 1e-14)


def test_a_row_that_is_usual_has_no_contributions() -> None:
    """Nothing differs, so nothing contributes."""
    assert np.all(EXPLAINER.contributions(ROWS, ROWS) == 0.0)


@given(cut=st.integers(0, 60))
def test_contributions_do_not_depend_on_the_batch(cut: int) -> None:
    """Rows explained in two batches have the very bits of one."""
    parts = [EXPLAINER.contributions(ROWS[at], USUAL[at]) for at in (slice(cut), slice(cut, 60))]
    assert np.concatenate(parts).tobytes() == FOUND.tobytes()


@pytest.mark.parametrize("far", [1e3, -1e3])
def test_certainty_is_explained_too(far: float) -> None:
    """A score of exactly 0 or 1, whose log odds are infinite, has finite contributions that add up."""
    rows = np.full((1, WIDTH), far)
    found = EXPLAINER.contributions(rows, USUAL[:1])
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(SCORER.score(rows)[0] - SCORER.score(USUAL[:1])[0], abs=1e-13)
