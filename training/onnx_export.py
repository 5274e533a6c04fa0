"""Exports a classifier as a scorer's model: one double input `features` [n, F], one double output `score` [n].

Linear models and kernels stay in double throughout; trees and the network compute in float32 behind a cast, as their
Python originals do. Everything but the network is built by hand: fewer nodes, no converter that could drop something
silently, and the same bytes for the same parameters.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, numpy_helper
from onnx.helper import get_node_attr_value

from risk.trees import LEAF, Trees
from training.calibration import Calibration
from training.classifier import Classifier
from training.graph import FEATURES, OPSETS, Graph, Tensor
from training.steps.step import Step
from training.trees import trees_of


def export_onnx(
    classifier: Classifier,
    *,
    steps: Sequence[Step] = (),
    width: int | None = None,
    calibration: Calibration | None = None,
) -> bytes:
    """Return the serialised model: features through the steps, the classifier and the calibration.

    `width` is the number of columns before the steps; without steps the classifier knows it.
    Two exports of one classifier are equal byte for byte. Nothing is checked here against the original: every export
    must pass `training.parity.check_parity`.
    """
    graph = Graph()
    tensor: Tensor = FEATURES
    for step in steps:
        tensor = step.add(graph, tensor)
    score = _score(graph, tensor, classifier)
    return graph.serialise(
        {"score": score if calibration is None else calibration.add(graph, score)},
        width=classifier.feature_count if width is None else width,
    )


def _score(graph: Graph, features: Tensor, classifier: Classifier) -> Tensor:
    estimator = classifier.estimator
    match classifier.model:
        case "logistic_regression" | "linear_discriminant":
            return _linear(graph, features, estimator.coef_[0], estimator.intercept_[0], slope=1.0, offset=0.0)
        case "linear_svm":
            machine, slope, offset = _platt(estimator)
            return _linear(graph, features, machine.coef_[0], machine.intercept_[0], slope=slope, offset=offset)
        case "kernel_svm":
            return _kernel_svm(graph, features, classifier)
        case "network":
            return graph.flat(graph.as_double(_network(graph, graph.as_float(features), estimator)))
        case "autoencoder":
            return _autoencoder(graph, features, classifier)
        case _:
            return _trees(graph, features, trees_of(classifier))


def _linear(
    graph: Graph, features: Tensor, weights: npt.NDArray[np.float64], intercept: float, *, slope: float, offset: float
) -> Tensor:
    """Return sigmoid(slope * (features . weights + intercept) + offset), in double."""
    product = graph.node("MatMul", features, graph.constant(np.asarray(weights, dtype=np.float64)[:, None]))
    margin = graph.node("Add", product, graph.constant(np.array(intercept, dtype=np.float64)))
    scaled = graph.node("Mul", margin, graph.constant(np.array(slope, dtype=np.float64)))
    logit = graph.node("Add", scaled, graph.constant(np.array(offset, dtype=np.float64)))
    return graph.flat(graph.node("Sigmoid", logit))


def linear_log_odds(classifier: Classifier) -> tuple[npt.NDArray[np.float64], float]:
    """Return the weights float64[F] and the intercept of a linear model's log odds, calibration included."""
    if classifier.model == "linear_svm":
        machine, slope, offset = _platt(classifier.estimator)
    else:
        machine, slope, offset = classifier.estimator, 1.0, 0.0
    weights = slope * np.asarray(machine.coef_[0], dtype=np.float64)
    return weights, float(slope * machine.intercept_[0] + offset)


def _platt(calibrated: Any) -> tuple[Any, float, float]:
    """Return the machine that gives margins, and the slope and offset that make log odds of them."""
    fitted = calibrated.calibrated_classifiers_[0]
    # scikit-learn writes Platt's sigmoid as 1 / (1 + exp(a * margin + b)).
    return fitted.estimator, -fitted.calibrators[0].a_, -fitted.calibrators[0].b_


def _kernel_svm(graph: Graph, features: Tensor, classifier: Classifier) -> Tensor:
    """Return Platt's sigmoid of the sum of coefficients times exp(-gamma * |x - s|^2), in double."""
    machine, slope, offset = _platt(classifier.estimator)
    vectors = np.asarray(machine.support_vectors_, dtype=np.float64)
    # |x - s|^2 = |x|^2 - 2 x.s + |s|^2, which rounding can bring below 0.
    own = graph.node("ReduceSumSquare", features, graph.constant(np.array([1])), keepdims=1)
    cross = graph.node("MatMul", features, graph.constant(-2.0 * vectors.T))
    square = graph.node("Add", graph.node("Add", cross, own), graph.constant((vectors**2).sum(axis=1)[None, :]))
    distance = graph.node("Max", square, graph.constant(np.array(0.0)))
    kernel = graph.node("Exp", graph.node("Mul", distance, graph.constant(np.array(-machine.gamma))))
    weights = slope * np.asarray(machine.dual_coef_, dtype=np.float64).T
    constant = slope * machine.intercept_[0] + offset + classifier.log_odds_shift
    logit = graph.node("Add", graph.node("MatMul", kernel, graph.constant(weights)), graph.constant(np.array(constant)))
    return graph.flat(graph.node("Sigmoid", logit))


def _trees(graph: Graph, features: Tensor, trees: Trees) -> Tensor:
    """Return the trees in float32, and the link from their sum to the score in double."""
    numbers = np.repeat(np.arange(len(trees.roots)), np.diff(np.append(trees.roots, len(trees.feature))))
    within = np.arange(len(trees.feature)) - trees.roots[numbers]
    leaf = trees.feature == LEAF
    leaves = np.flatnonzero(leaf)
    total = graph.node(
        "TreeEnsembleRegressor",
        graph.as_float(features),
        domain="ai.onnx.ml",
        aggregate_function="SUM",
        post_transform="NONE",
        n_targets=1,
        nodes_treeids=numbers.tolist(),
        nodes_nodeids=within.tolist(),
        nodes_featureids=np.where(leaf, 0, trees.feature).tolist(),
        nodes_modes=np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        nodes_values=trees.threshold.tolist(),
        nodes_truenodeids=np.where(leaf, 0, trees.left - trees.roots[numbers]).tolist(),
        nodes_falsenodeids=np.where(leaf, 0, trees.right - trees.roots[numbers]).tolist(),
        target_treeids=numbers[leaves].tolist(),
        target_nodeids=within[leaves].tolist(),
        target_ids=[0] * len(leaves),
        target_weights=trees.value[leaves].astype(np.float32).tolist(),
    )
    margin = graph.node("Add", graph.as_double(graph.flat(total)), graph.constant(np.array(trees.offset)))
    match trees.link:
        case "logistic":
            return graph.node("Sigmoid", margin)
        case "isolation":
            return graph.node("Pow", graph.constant(np.array(2.0)), graph.node("Neg", margin))
        case "identity":
            # A sum of float32 ones can come out as 1.0000001.
            return graph.node("Clip", margin, graph.constant(np.array(0.0)), graph.constant(np.array(1.0)))


def _network(graph: Graph, features: Tensor, network: Any) -> Tensor:
    """Return what a Keras network of dense layers makes of features in float32, by tf2onnx from a `tf.function`."""
    import tensorflow as tf
    import tf2onnx

    @tf.function(input_signature=[tf.TensorSpec([None, network.input_shape[1]], tf.float32, name="features")])  # type: ignore[untyped-decorator]
    def made(features: Any) -> Any:
        return {"made": network(features, training=False)}

    model, _ = tf2onnx.convert.from_function(made, input_signature=made.input_signature, opset=OPSETS[""])
    names = {FEATURES: features} | {
        one.name: graph.constant(numpy_helper.to_array(one)) for one in model.graph.initializer
    }
    for node in model.graph.node:
        names[node.output[0]] = _copy(node, [names[name] for name in node.input], graph)
    found: Tensor = names["made"]
    return found


def _autoencoder(graph: Graph, features: Tensor, classifier: Classifier) -> Tensor:
    """Return e / (e + unit) of the mean squared error e of the features made again, the error in double."""
    made = graph.as_double(_network(graph, graph.as_float(features), classifier.estimator))
    difference = graph.node("Sub", features, made)
    square = graph.node("Mul", difference, difference)
    # ReduceMean adds up in an order that depends on the batch.
    width = classifier.feature_count
    error = graph.flat(graph.node("MatMul", square, graph.constant(np.full((width, 1), 1.0 / width))))
    unit = graph.constant(np.array(np.exp(-classifier.log_odds_shift)))
    return graph.node("Div", error, graph.node("Add", error, unit))


def _copy(node: NodeProto, inputs: list[Tensor], graph: Graph) -> Tensor:
    """Add a node of tf2onnx's, which names some tensors by what the process has made before."""
    if len(node.output) != 1:
        raise ValueError(f"{node.op_type}: has {len(node.output)} outputs; export a network whose layers have one")
    attributes = {one.name: get_node_attr_value(node, one.name) for one in node.attribute}
    return graph.node(node.op_type, *inputs, domain=node.domain, **attributes)
