"""Fitted tree ensembles of four libraries in one form, which exports and explains them.

Every library's `x < t` and `x <= t`, in float32 or double, becomes `x <= t'` in float32: for a float32 x, `x <= t` is
`x <= t'` with t' the greatest float32 not above t, and `x < t` is `x <= t'` with t' the greatest float32 below t. So no
row takes another branch than in the library that it was fitted by, given that this too saw its features in float32.
Trees that send missing values somewhere are not told apart: features have been imputed before.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from risk.trees import LEAF, Link, Trees
from training.classifier import Classifier


@dataclass(frozen=True, slots=True)
class _Tree:
    """One tree, its nodes numbered from 0."""

    feature: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]


def trees_of(classifier: Classifier) -> Trees:
    """Return the trees of a fitted ensemble. Raises ValueError for a model that has none."""
    match classifier.model:
        case "random_forest":
            return from_random_forest(classifier.estimator)
        case "isolation_forest":
            return from_isolation_forest(classifier.estimator)
        case "gradient_boosting":
            return from_gradient_boosting(classifier.estimator)
        case "lightgbm":
            return from_lightgbm(classifier.estimator)
        case "xgboost":
            return from_xgboost(classifier.estimator)
        case other:
            raise ValueError(f"{other}: has no trees; choose a forest or boosting")


def from_random_forest(forest: Any) -> Trees:
    """Return scikit-learn's random forest: the mean, over trees, of the fraction of frauds in the leaf."""
    trees = []
    for estimator in forest.estimators_:
        tree = estimator.tree_
        leaf = tree.children_left < 0
        fraction = tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)
        trees.append(_from_sklearn(tree, np.where(leaf, fraction, 0.0) / len(forest.estimators_)))
    return _joined(trees, offset=0.0, link="identity", feature_count=forest.n_features_in_)


def from_isolation_forest(forest: Any) -> Trees:
    """Return scikit-learn's isolation forest: the mean path length, in units of that expected of its samples.

    Liu, Ting and Zhou 2008, "Isolation forest": the score is 2 to the power of minus that. A leaf of m samples stands
    for a subtree of the path length expected of m.
    """
    unit = len(forest.estimators_) * _average_path_length(np.array([forest.max_samples_]))[0]
    trees = []
    for estimator in forest.estimators_:
        tree = estimator.tree_
        depth = np.zeros(tree.node_count)
        for node in np.flatnonzero(tree.children_left >= 0).tolist():
            depth[[tree.children_left[node], tree.children_right[node]]] = depth[node] + 1.0
        length = depth + _average_path_length(tree.n_node_samples)
        trees.append(_from_sklearn(tree, np.where(tree.children_left < 0, length, 0.0) / unit))
    return _joined(trees, offset=0.0, link="isolation", feature_count=forest.n_features_in_)


def from_gradient_boosting(boosting: Any) -> Trees:
    """Return scikit-learn's histogram gradient boosting for two classes."""
    trees = []
    for (predictor,) in boosting._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            _Tree(
                np.where(leaf, LEAF, nodes["feature_idx"]),
                _not_above(np.where(leaf, 0.0, nodes["num_threshold"])),
                np.where(leaf, 0, nodes["left"]).astype(np.int64),
                np.where(leaf, 0, nodes["right"]).astype(np.int64),
                np.where(leaf, nodes["value"], 0.0),
            )
        )
    offset = float(boosting._baseline_prediction.ravel()[0])
    return _joined(trees, offset=offset, link="logistic", feature_count=boosting.n_features_in_)


def from_lightgbm(classifier: Any) -> Trees:
    """Return LightGBM's trees for two classes; its starting score is in the leaves of the first."""
    trees = []
    for info in classifier.booster_.dump_model()["tree_info"]:
        nodes: list[dict[str, Any]] = []
        _flatten(info["tree_structure"], nodes)
        trees.append(
            _Tree(
                np.array([node.get("split_feature", LEAF) for node in nodes]),
                _not_above(np.array([node.get("threshold", 0.0) for node in nodes])),
                np.array([node["left"] for node in nodes]),
                np.array([node["right"] for node in nodes]),
                np.array([node.get("leaf_value", 0.0) for node in nodes]),
            )
        )
    return _joined(trees, offset=0.0, link="logistic", feature_count=classifier.n_features_in_)


def _flatten(node: dict[str, Any], nodes: list[dict[str, Any]]) -> int:
    """Append a node and those below it, each with the numbers of its children; return its own number."""
    number = len(nodes)
    flat = node | {"left": 0, "right": 0}
    nodes.append(flat)
    if "left_child" in node:
        flat["left"] = _flatten(node["left_child"], nodes)
        flat["right"] = _flatten(node["right_child"], nodes)
    return number


def from_xgboost(classifier: Any) -> Trees:
    """Return XGBoost's trees for two classes: `x < t` goes left."""
    model = json.loads(classifier.get_booster().save_raw("json"))["learner"]
    trees = []
    for tree in model["gradient_booster"]["model"]["trees"]:
        left = np.array(tree["left_children"], dtype=np.int64)
        leaf = left < 0
        condition = np.array(tree["split_conditions"], dtype=np.float32)
        trees.append(
            _Tree(
                np.where(leaf, LEAF, np.array(tree["split_indices"], dtype=np.int64)),
                np.where(leaf, np.float32(0.0), np.nextafter(condition, np.float32(-np.inf))),
                np.where(leaf, 0, left),
                np.where(leaf, 0, np.array(tree["right_children"], dtype=np.int64)),
                np.where(leaf, condition, np.float32(0.0)).astype(np.float64),
            )
        )
    base = float(json.loads(model["learner_model_param"]["base_score"].replace("'", ""))[0])
    return _joined(
        trees, offset=float(np.log(base / (1.0 - base))), link="logistic", feature_count=classifier.n_features_in_
    )


def _from_sklearn(tree: Any, value: npt.NDArray[np.float64]) -> _Tree:
    leaf = tree.children_left < 0
    return _Tree(
        np.where(leaf, LEAF, tree.feature),
        _not_above(np.where(leaf, 0.0, tree.threshold)),
        np.where(leaf, 0, tree.children_left),
        np.where(leaf, 0, tree.children_right),
        value,
    )


def _joined(trees: Sequence[_Tree], *, offset: float, link: Link, feature_count: int) -> Trees:
    sizes = np.array([len(tree.feature) for tree in trees])
    roots = np.cumsum(sizes) - sizes
    return Trees(
        roots=roots,
        feature=np.concatenate([tree.feature for tree in trees]).astype(np.int64),
        threshold=np.concatenate([tree.threshold for tree in trees]),
        left=np.concatenate([tree.left + root for tree, root in zip(trees, roots, strict=True)]),
        right=np.concatenate([tree.right + root for tree, root in zip(trees, roots, strict=True)]),
        value=np.concatenate([tree.value for tree in trees]),
        offset=offset,
        link=link,
        feature_count=feature_count,
    )


def _not_above(thresholds: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Return the greatest float32 that is not above each threshold.

    >>> _not_above(np.array([0.1, 0.5])).astype(float).tolist()
    [0.09999999403953552, 0.5]
    """
    nearest = thresholds.astype(np.float32)
    above = nearest.astype(np.float64) > thresholds
    return np.where(above, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _average_path_length(samples: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the mean path length of an unsuccessful search in a binary tree of so many samples.

    >>> _average_path_length(np.array([1, 2, 256])).round(4).tolist()
    [0.0, 1.0, 10.2448]
    """
    many = np.maximum(samples, 3).astype(np.float64)
    length = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(samples <= 1, 0.0, np.where(samples == 2, 1.0, length))
