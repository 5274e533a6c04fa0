"""Makes what explains a classifier's scores in a bundle: a graph of contributions, or the trees themselves."""

from typing import Any

import numpy as np
import numpy.typing as npt

from risk.explainer import EXPLANATION_FILE, TREES_FILE
from risk.trees import trees_bytes
from training.classifier import Classifier
from training.graph import FEATURES, Graph, Tensor
from training.onnx_export import linear_log_odds
from training.trees import trees_of

_NOTHING = 1e-30
"""Keeps 0 / 0 out of a quotient and changes no other; one that is 0 in float32 ONNX Runtime would optimise away."""


def explanation_files(classifier: Classifier) -> dict[str, bytes]:
    """Return the files of a bundle that explain the classifier, by name; none for a kernel machine or an autoencoder.

    Equal parameters give equal bytes. Raises ValueError for a network of other layers than Dense ones, the last a
    sigmoid and all others relu.
    """
    match classifier.model:
        case "logistic_regression" | "linear_discriminant" | "linear_svm":
            weights, intercept = linear_log_odds(classifier)
            return {EXPLANATION_FILE: _linear(weights, intercept)}
        case "network":
            return {EXPLANATION_FILE: _network(_layers(classifier.estimator))}
        case "kernel_svm" | "autoencoder":
            return {}
        case _:
            return {TREES_FILE: trees_bytes(trees_of(classifier))}


def _linear(weights: npt.NDArray[np.float64], intercept: float) -> bytes:
    """Return weight times deviation from the usual value, in units of the score."""
    width = len(weights)
    graph = Graph()
    margins = graph.node("Mul", _deviation(graph, width), graph.constant(weights[None, :]))
    both = np.zeros((2 * width, 2))
    both[:width, 0] = both[width:, 1] = weights
    pair = graph.node("Gemm", FEATURES, graph.constant(both), graph.constant(np.full(2, intercept)))
    return _serialised(graph, margins, pair, width)


def _network(layers: list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]) -> bytes:
    """Return the contributions by DeepLIFT's rescale rule, in units of the score; in double, unlike the network.

    A unit's multiplier is the difference of its outputs divided by that of its inputs. For a relu of inputs a and b
    that is max(a, b) / |a - b| cut to 0 and 1: 1 where both are positive, 0 where none is, and for equal inputs the
    gradient. So nothing is divided that rounding has made.
    """
    width = layers[0][0].shape[0]
    graph = Graph()
    # A row and its usual row, one under the other.
    flowing = graph.node("Reshape", FEATURES, graph.constant(np.array([-1, width])))
    multipliers = []
    for kernel, bias in layers[:-1]:
        inputs = graph.node("Gemm", flowing, graph.constant(kernel), graph.constant(bias))
        flowing = graph.node("Relu", inputs)
        paired = graph.node("Reshape", inputs, graph.constant(np.array([-1, 2, len(bias)])))
        axis = graph.constant(np.array([1]))
        greatest = graph.node("ReduceMax", paired, axis, keepdims=0)
        distance = graph.node("Sub", greatest, graph.node("ReduceMin", paired, axis, keepdims=0))
        quotient = graph.node("Div", greatest, graph.node("Add", distance, graph.constant(np.array(_NOTHING))))
        multipliers.append(graph.node("Clip", quotient, graph.constant(np.array(0.0)), graph.constant(np.array(1.0))))
    kernel, bias = layers[-1]
    margin = graph.node("Gemm", flowing, graph.constant(kernel), graph.constant(bias))
    pair = graph.node("Reshape", margin, graph.constant(np.array([-1, 2])))
    backward = graph.node("Mul", multipliers[-1], graph.constant(kernel.T))
    for (kernel, _), multiplier in zip(layers[-2:0:-1], multipliers[-2::-1], strict=True):
        backward = graph.node("Mul", graph.node("MatMul", backward, graph.constant(kernel.T)), multiplier)
    backward = graph.node("MatMul", backward, graph.constant(layers[0][0].T))
    return _serialised(graph, graph.node("Mul", backward, _deviation(graph, width)), pair, width)


def _layers(network: Any) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Return kernel and bias of each layer of a Keras network."""
    names = [layer.activation.__name__ for layer in network.layers]
    if len(names) < 2 or names != ["relu"] * (len(names) - 1) + ["sigmoid"]:
        raise ValueError(f"layers are {names}: explain a network of Dense relu layers and a Dense sigmoid")
    return [
        (np.asarray(kernel, dtype=np.float64), np.asarray(bias, dtype=np.float64))
        for kernel, bias in (layer.get_weights() for layer in network.layers)
    ]


def _deviation(graph: Graph, width: int) -> Tensor:
    """Return features less usual features, [rows, F]; exactly 0 where they are equal."""
    return graph.node("MatMul", FEATURES, graph.constant(np.vstack([np.eye(width), -np.eye(width)])))


def _serialised(graph: Graph, margins: Tensor, pair: Tensor, width: int) -> bytes:
    """Return the model that gives contributions to the margin, [rows, F], in units of the score.

    `pair` are the log odds of a row and of its usual row, [rows, 2]. As in `risk.score_slope`, all is 0 where they are
    the same.
    """
    difference = graph.constant(np.array([[1.0], [-1.0]]))
    score = graph.node("MatMul", graph.node("Sigmoid", pair), difference)
    margin = graph.node("MatMul", pair, difference)
    slope = graph.node("Div", score, graph.node("Add", margin, graph.constant(np.array(_NOTHING))))
    contributions = graph.node("Mul", margins, slope)
    return graph.serialise({"contributions": contributions}, width=2 * width, matrices=("contributions",))
