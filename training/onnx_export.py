"""Exports a classifier as a scorer's model: one double input `features` [n, F], one double output `score` [n].

Linear models stay in double throughout; the forest and the network compute in float32 behind a cast, as their Python
originals do. Everything but the network is built by hand: fewer nodes, no converter that could drop something
silently, and the same bytes for the same parameters.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.classifiers import Classifier

OPSETS = {"": 18, "ai.onnx.ml": 3}
IR_VERSION = 8


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
    nodes = [
        helper.make_node("MatMul", ["features", "weights"], ["product"]),
        helper.make_node("Add", ["product", "intercept"], ["margin"]),
        helper.make_node("Mul", ["margin", "slope"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offset"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["probability"]),
        helper.make_node("Reshape", ["probability", "rows"], ["score"]),
    ]
    constants = {
        "weights": np.asarray(weights, dtype=np.float64)[:, None],
        "intercept": np.array(intercept, dtype=np.float64),
        "slope": np.array(slope, dtype=np.float64),
        "offset": np.array(offset, dtype=np.float64),
        "rows": np.array([-1]),
    }
    return _serialise(nodes, constants, feature_count=len(weights))


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
    nodes = [
        helper.make_node("Cast", ["features"], ["single"], to=TensorProto.FLOAT),
        helper.make_node(
            "TreeEnsembleRegressor",
            ["single"],
            ["mean"],
            domain="ai.onnx.ml",
            aggregate_function="AVERAGE",
            post_transform="NONE",
            n_targets=1,
            nodes_values=np.concatenate(values).tolist(),
            target_weights=np.concatenate(weights).tolist(),
            **attributes,
        ),
        helper.make_node("Reshape", ["mean", "rows"], ["flat"]),
        helper.make_node("Cast", ["flat"], ["double"], to=TensorProto.DOUBLE),
        # A mean of float32 ones can come out as 1.0000001.
        helper.make_node("Clip", ["double", "zero", "one"], ["score"]),
    ]
    constants = {"rows": np.array([-1]), "zero": np.array(0.0), "one": np.array(1.0)}
    return _serialise(nodes, constants, feature_count=forest.n_features_in_)


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
    nodes, constants = _renamed(model.graph)
    return _serialise(nodes, constants, feature_count=network.input_shape[1])


def _renamed(graph: onnx.GraphProto) -> tuple[list[onnx.NodeProto], dict[str, npt.NDArray[Any]]]:
    """Return the nodes and constants under names by order of use: tf2onnx numbers some names by process history."""
    names = {"features": "features", "score": "score"}
    nodes = []
    for node in graph.node:
        for name in (*node.input, *node.output):
            names.setdefault(name, f"tensor_{len(names)}")
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.name = ""
        copy.input[:] = [names[name] for name in node.input]
        copy.output[:] = [names[name] for name in node.output]
        nodes.append(copy)
    values = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    return nodes, {names[name]: values[name] for name in names if name in values}


def _serialise(nodes: list[onnx.NodeProto], constants: dict[str, npt.NDArray[Any]], *, feature_count: int) -> bytes:
    graph = helper.make_graph(
        nodes,
        "scorer",
        [helper.make_tensor_value_info("features", TensorProto.DOUBLE, ["rows", feature_count])],
        [helper.make_tensor_value_info("score", TensorProto.DOUBLE, ["rows"])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    return _checked(helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION))


def _checked(model: onnx.ModelProto) -> bytes:
    """Return the model's bytes; raises onnx.checker.ValidationError for an invalid one."""
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString(deterministic=True))
