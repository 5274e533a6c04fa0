import numpy as np
import onnx
import pytest

from risk.scorer import Scorer
from training.graph import FEATURES, Graph


def halved(graph: Graph) -> bytes:
    """Return a model whose score is half of its second feature."""
    half = graph.node("Mul", graph.columns(FEATURES, [1]), graph.constant(np.array(0.5)))
    return graph.serialise({"score": graph.flat(half)}, width=3)


def test_a_graph_computes_what_was_added() -> None:
    """Columns are picked by number, and nodes work on them in double."""
    rows = np.array([[0.0, 1.0, 0.0], [0.3, 0.2, 0.1]])
    assert Scorer(halved(Graph())).score(rows).tolist() == [0.5, 0.1]


def test_equal_calls_give_equal_bytes() -> None:
    """Names come from the order of the calls alone."""
    assert halved(Graph()) == halved(Graph())


def test_an_invalid_graph_is_refused() -> None:
    """What would fail when a worker opens it fails here already."""
    graph = Graph()
    with pytest.raises((onnx.checker.ValidationError, onnx.shape_inference.InferenceError)):
        graph.serialise({"score": graph.node("NoSuchOperator", FEATURES)}, width=1)
