"""Exports a classifier as a scorer's model: one double input `features` [n, F], one double output `score` [n].

Linear models stay in double throughout; the forest and the network compute in float32 behind a cast, as their Python
originals do. Everything but the network is built by hand: fewer nodes, no converter that could drop something
silently, and the same bytes for the same parameters.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, numpy_helper
from onnx.helper import get_node_attr_value

from training.classifiers import Classifier
from training.graph import FEATURES, OPSETS, Graph, Tensor


def export_onnx(classifier: Classifier) -> bytes:
    """Return the serialised model; two exports of one classifier are equal byte for byte.

    Nothing is checked here against the original: every export must pass `training.parity.check_parity`.
    """
    match classifier.model:
        case "logistic_regression":
            estimator = classifier.estimator
            return _linear(estimator.coef_[0], estimator.intercept_[0], slope=1.0, offset=0.0)
        case "linear_svm":
            calibrated = classifier.estimator.calibrated_classifiers_[0]
            sigmoid = calibrated.calibrators[0]
            # scikit-learn writes Platt's sigmoid as 1 / (1 + exp(a * margin + b)).
            return _linear(
                calibrated.estimator.coef_[0],
                calibrated.estimator.intercept_[0],
                slope=-sigmoid.a_,
                offset=-sigmoid.b_,
            )
        case "random_forest":
            return _forest(classifier.estimator)
        case "network":
            return _network(classifier.estimator)


def _linear(weights: npt.NDArray[np.float64], intercept: float, *, slope: float, offset: float) -> bytes:
    """Return sigmoid(slope * (features . weights + intercept) + offset), in double."""
    graph = Graph()
    product = graph.node("MatMul", FEATURES, graph.constant(np.asarray(weights, dtype=np.float64)[:, None]))
    margin = graph.node("Add", product, graph.constant(np.array(intercept, dtype=np.float64)))
    scaled = graph.node("Mul", margin, graph.constant(np.array(slope, dtype=np.float64)))
    logit = graph.node("Add", scaled, graph.constant(np.array(offset, dtype=np.float64)))
    return graph.serialise({"score": graph.flat(graph.node("Sigmoid", logit))}, width=len(weights))


def _forest(forest: Any) -> bytes:
    """Return the mean, over the trees, of the fraction of frauds in the leaf, in float32.

    scikit-learn compares float32 features with double thresholds; `x <= t` for a float32 x is `x <= t'` where t' is
    the greatest float32 not above t, so that no row takes another branch here.
    """
    values, weights = [], []
    attributes: dict[str, Any] = {
        name: []
        for name in (
            *("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes", "nodes_truenodeids"),
            *("nodes_falsenodeids", "target_treeids", "target_nodeids", "target_ids"),
        )
    }
    for number, estimator in enumerate(forest.estimators_):
        tree = estimator.tree_
        is_leaf = tree.children_left < 0
        leaves = np.flatnonzero(is_leaf)
        attributes["nodes_treeids"] += [number] * tree.node_count
        attributes["nodes_nodeids"] += range(tree.node_count)
        attributes["nodes_featureids"] += np.where(is_leaf, 0, tree.feature).tolist()
        attributes["nodes_modes"] += np.where(is_leaf, "LEAF", "BRANCH_LEQ").tolist()
        attributes["nodes_truenodeids"] += np.where(is_leaf, 0, tree.children_left).tolist()
        attributes["nodes_falsenodeids"] += np.where(is_leaf, 0, tree.children_right).tolist()
        attributes["target_treeids"] += [number] * len(leaves)
        attributes["target_nodeids"] += leaves.tolist()
        attributes["target_ids"] += [0] * len(leaves)
        values.append(_float32_not_above(np.where(is_leaf, 0.0, tree.threshold)))
        weights.append(tree.value[leaves, 0, 1].astype(np.float32))
    graph = Graph()
    mean = graph.node(
        "TreeEnsembleRegressor",
        graph.as_float(FEATURES),
        domain="ai.onnx.ml",
        aggregate_function="AVERAGE",
        post_transform="NONE",
        n_targets=1,
        nodes_values=np.concatenate(values).tolist(),
        target_weights=np.concatenate(weights).tolist(),
        **attributes,
    )
    # A mean of float32 ones can come out as 1.0000001.
    bounds = graph.constant(np.array(0.0)), graph.constant(np.array(1.0))
    score = graph.node("Clip", graph.as_double(graph.flat(mean)), *bounds)
    return graph.serialise({"score": score}, width=forest.n_features_in_)


def _float32_not_above(thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the greatest float32 that is not above each threshold.

    >>> _float32_not_above(np.array([0.1, 0.5])).astype(float).tolist()
    [0.09999999403953552, 0.5]
    """
    nearest = thresholds.astype(np.float32)
    above = nearest.astype(np.float64) > thresholds
    return np.where(above, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _network(network: Any) -> bytes:
    """Return the network behind a cast to float32, by tf2onnx from a `tf.function`."""
    import tensorflow as tf
    import tf2onnx

    @tf.function(input_signature=[tf.TensorSpec([None, network.input_shape[1]], tf.float64, name="features")])  # type: ignore[untyped-decorator]
    def score(features: Any) -> Any:
        probability = network(tf.cast(features, tf.float32), training=False)
        return {"score": tf.cast(tf.reshape(probability, [-1]), tf.float64)}

    model, _ = tf2onnx.convert.from_function(score, input_signature=score.input_signature, opset=OPSETS[""])
    graph = Graph()
    names = {FEATURES: FEATURES} | {
        one.name: graph.constant(numpy_helper.to_array(one)) for one in model.graph.initializer
    }
    for node in model.graph.node:
        names[node.output[0]] = _copy(node, [names[name] for name in node.input], graph)
    return graph.serialise({"score": names["score"]}, width=network.input_shape[1])


def _copy(node: NodeProto, inputs: list[Tensor], graph: Graph) -> Tensor:
    """Add a node of tf2onnx's, which names some tensors by what the process has made before."""
    if len(node.output) != 1:
        raise ValueError(f"{node.op_type}: has {len(node.output)} outputs; export a network whose layers have one")
    attributes = {one.name: get_node_attr_value(node, one.name) for one in node.attribute}
    return graph.node(node.op_type, *inputs, domain=node.domain, **attributes)
