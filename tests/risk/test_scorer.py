"""A row's score has the same bits in any batch, and a model for which it would not is refused."""

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from risk.row_model import MAX_RUN_ROWS, MIN_RUN_ROWS, RUN_ROWS, ModelError, run_rows
from risk.scorer import Scorer

WEIGHTS = np.random.default_rng(3).normal(size=11)


def onnx_model(
    nodes: list[onnx.NodeProto],
    *,
    features: str = "features",
    score: str = "score",
    element: int = TensorProto.DOUBLE,
    shape: tuple[str, ...] = ("rows",),
) -> bytes:
    """Return a model of the given nodes, which may use the constants `weights` [11, 1], `flat` and `zero`."""
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(features, element, ["rows", len(WEIGHTS)])],
        [helper.make_tensor_value_info(score, element, list(shape))],
        [
            numpy_helper.from_array(WEIGHTS[:, None], "weights"),
            numpy_helper.from_array(np.array([-1]), "flat"),
            numpy_helper.from_array(np.array(0), "zero"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return bytes(model.SerializeToString())


def logistic(*between: onnx.NodeProto, logit: str = "logit") -> bytes:
    """Return sigmoid(features . weights); nodes in between may turn `logit` into another tensor, named by `logit`."""
    return onnx_model(
        [
            helper.make_node("MatMul", ["features", "weights"], ["product"]),
            helper.make_node("Reshape", ["product", "flat"], ["logit"]),
            *between,
            helper.make_node("Sigmoid", [logit], ["score"]),
        ]
    )


SCORER = Scorer(logistic())
ROWS = np.random.default_rng(4).normal(size=(5000, len(WEIGHTS)))


def test_scores_are_those_of_the_formula() -> None:
    """The scorer gives what the model's formula gives."""
    expected = 1.0 / (1.0 + np.exp(-(ROWS @ WEIGHTS)))
    np.testing.assert_allclose(SCORER.score(ROWS), expected, rtol=0, atol=1e-14)


@given(cuts=st.lists(st.integers(0, 3000), max_size=12))
def test_a_score_has_the_same_bits_for_any_split_of_the_rows(cuts: list[int]) -> None:
    """Scoring piece by piece, at any cuts, gives the bits of scoring all at once."""
    whole = SCORER.score(ROWS[:3000])
    pieces = [SCORER.score(piece) for piece in np.split(ROWS[:3000], sorted(cuts))]
    assert np.concatenate(pieces).tobytes() == whole.tobytes()


def test_a_score_has_the_same_bits_in_every_batch_size_from_1_to_5000() -> None:
    """A row alone and a row among up to 4,999 others score the same bits, at whatever position."""
    alone = np.concatenate([SCORER.score(row[None]) for row in ROWS])
    for size in range(1, 5001):
        at = (size * 977) % (5001 - size)
        assert SCORER.score(ROWS[at : at + size]).tobytes() == alone[at : at + size].tobytes(), size


def test_memory_order_and_alignment_do_not_change_a_score() -> None:
    """Columns-first rows, reversed views and rows at odd addresses score the same bits."""
    expected = SCORER.score(ROWS[:100])
    spare = np.zeros(100 * len(WEIGHTS) + 1)
    shifted = spare[1:].reshape(100, -1)
    shifted[:] = ROWS[:100]
    assert SCORER.score(np.asfortranarray(ROWS[:100])).tobytes() == expected.tobytes()
    assert SCORER.score(ROWS[:100][::-1])[::-1].tobytes() == expected.tobytes()
    assert SCORER.score(shifted).tobytes() == expected.tobytes()


def test_no_rows_have_no_scores() -> None:
    """An empty batch is scored without running the model."""
    assert SCORER.score(np.empty((0, len(WEIGHTS)))).shape == (0,)


@given(rows=st.integers(1, 20_000))
def test_runs_cover_the_rows_and_fill_up_by_at_most_a_third(rows: int) -> None:
    """Every run has one of the fixed sizes, and only the last one has rows filled in: under 8, or a third."""
    sizes, left = [], rows
    while left > 0:
        sizes.append(run_rows(left))
        left -= sizes[-1]
    assert set(sizes) <= set(RUN_ROWS)
    assert -left < max(MIN_RUN_ROWS, sizes[-1] / 4)
    assert sizes[:-1] == sorted(sizes[:-1], reverse=True)
    assert max(sizes) <= MAX_RUN_ROWS


def test_rows_of_another_width_are_refused() -> None:
    """A row with a feature too many is an error that says both widths."""
    with pytest.raises(ValueError, match="12 columns, the model takes 11"):
        SCORER.score(np.zeros((3, 12)))


@pytest.mark.parametrize("value", [np.nan, 1.5, -0.1])
def test_a_score_outside_0_and_1_is_an_error_that_shows_the_row(value: float) -> None:
    """A model that gives NaN or leaves [0, 1] stops the worker rather than approve a fraud."""
    first = onnx_model([helper.make_node("Gather", ["features", "zero"], ["score"], axis=1)])
    rows = np.zeros((20, len(WEIGHTS)))
    rows[17, 0] = value
    with pytest.raises(FloatingPointError, match=rf"score {value} of row 17"):
        Scorer(first).score(rows)


def _mean_of_batch() -> bytes:
    return logistic(
        helper.make_node("ReduceMean", ["logit"], ["mean"], keepdims=1),
        helper.make_node("Add", ["logit", "mean"], ["shifted"]),
        logit="shifted",
    )


def _sum_up_to_position() -> bytes:
    return logistic(helper.make_node("CumSum", ["logit", "zero"], ["running"]), logit="running")


def _oddness_of_position() -> bytes:
    return logistic(
        helper.make_node("Sub", ["logit", "logit"], ["zeros"]),
        helper.make_node("Cos", ["zeros"], ["ones"]),
        helper.make_node("CumSum", ["ones", "zero"], ["position"]),
        helper.make_node("Add", ["ones", "ones"], ["twos"]),
        helper.make_node("Mod", ["position", "twos"], ["oddness"], fmod=1),
        helper.make_node("Add", ["logit", "oddness"], ["shifted"]),
        logit="shifted",
    )


@pytest.mark.parametrize("make", [_mean_of_batch, _sum_up_to_position, _oddness_of_position])
def test_a_model_that_depends_on_the_batch_is_refused(make: Callable[[], bytes]) -> None:
    """The self-check finds a score that depends on the other rows, on the position, or on the vector lane."""
    with pytest.raises(ModelError, match="depend on the batch"):
        Scorer(make()).check_batch_invariance(ROWS[:1024])


@pytest.mark.parametrize("count", [1, 7, 40, 3000])
def test_a_model_that_does_not_depend_on_the_batch_passes(count: int) -> None:
    """The self-check takes any number of rows."""
    SCORER.check_batch_invariance(ROWS[:count])


def _refused() -> dict[str, tuple[bytes, str]]:
    def same(given: str, name: str) -> list[onnx.NodeProto]:
        return [helper.make_node("Identity", [given], [name])]

    first = [helper.make_node("Gather", ["features", "zero"], ["score"], axis=1)]
    return {
        "input name": (onnx_model(same("x", "score"), features="x", shape=("rows", "width")), "inputs is"),
        "output name": (onnx_model(same("features", "y"), score="y", shape=("rows", "width")), "outputs is"),
        "type": (onnx_model(first, element=TensorProto.FLOAT), "features type"),
        "rank": (onnx_model(same("features", "score"), shape=("rows", "width")), "score shape"),
        "bytes": (b"", "ONNX Runtime"),
    }


@pytest.mark.parametrize("why", list(_refused()))
def test_a_model_of_another_signature_is_refused(why: str) -> None:
    """A model that could not be fed, or whose answer is not a score a row, says so when it is opened."""
    model, message = _refused()[why]
    with pytest.raises(ModelError, match=message):
        Scorer(model)
