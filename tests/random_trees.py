"""Trees drawn at random, and what they say of a row, in plain Python."""

from random import Random

import numpy as np
import numpy.typing as npt

from risk.trees import LEAF, Link, Trees


def random_trees(seed: int, *, features: int, trees: int, depth: int, link: Link) -> Trees:
    """Return trees with thresholds among -1, -0.5, ... 1, so that rows meet them; features come again on a way."""
    draw = Random(seed)
    nodes: list[list[float]] = []

    def grow(levels: int) -> int:
        number = len(nodes)
        nodes.append([LEAF, 0.0, 0, 0, draw.uniform(0.0, 1.0) / trees])
        if levels and draw.random() < 0.85:
            nodes[number][:2] = [draw.randrange(features), draw.randint(-2, 2) / 2.0]
            nodes[number][2] = grow(levels - 1)
            nodes[number][3] = grow(levels - 1)
        return number

    roots = [grow(depth) for _ in range(trees)]
    feature, threshold, left, right, value = zip(*nodes, strict=True)
    return Trees(
        roots=np.array(roots),
        feature=np.array(feature, dtype=np.int64),
        threshold=np.array(threshold, dtype=np.float32),
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        value=np.array(value),
        offset=0.25,
        link=link,
        feature_count=features,
    )


def margin(trees: Trees, row: npt.NDArray[np.float64]) -> float:
    """Return the sum over trees for one row."""
    total = trees.offset
    for root in trees.roots.tolist():
        node = root
        while trees.feature[node] != LEAF:
            goes_left = np.float32(row[trees.feature[node]]) <= trees.threshold[node]
            node = int(trees.left[node] if goes_left else trees.right[node])
        total += float(trees.value[node])
    return total
