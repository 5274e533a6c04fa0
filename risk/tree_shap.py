"""Explains trees: exact Shapley values of a row beside a reference row.

The value of a set of features is the margin of the row that has the set's values from the one row and all others from
the reference: "interventional" TreeSHAP with a background of one row (Lundberg et al. 2020, "From local explanations to
global understanding with explainable AI for trees", algorithm 3). Only where the two rows part company at a node do
both ways lead on, so each leaf is met at most once, and says in closed form what it adds to each feature on its way
(Laberge and Pequignot 2022, "Understanding interventional TreeSHAP", theorem 3.2).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from risk.score_slope import score_slope
from risk.trees import LEAF, Link, Trees

_FROM_ROW, _FROM_REFERENCE = 1, 2


@njit(cache=True)
def _walk(
    rows: npt.NDArray[np.float32],
    references: npt.NDArray[np.float32],
    roots: npt.NDArray[np.int64],
    feature: npt.NDArray[np.int64],
    threshold: npt.NDArray[np.float32],
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    shares: npt.NDArray[np.float64],
    contributions: npt.NDArray[np.float64],
    margins: npt.NDArray[np.float64],
) -> None:
    width = rows.shape[1]
    side = np.zeros(width, dtype=np.int8)
    path = np.empty(width, dtype=np.int64)
    waiting_node = np.empty(width + 1, dtype=np.int64)
    waiting_length = np.empty(width + 1, dtype=np.int64)
    for at in range(rows.shape[0]):
        x = rows[at]
        u = references[at]
        for root in roots:
            node = root
            length = 0
            from_row = 0
            from_reference = 0
            waiting = 0
            while True:
                while feature[node] != LEAF:
                    one = feature[node]
                    of_row = left[node] if x[one] <= threshold[node] else right[node]
                    of_reference = left[node] if u[one] <= threshold[node] else right[node]
                    if of_row == of_reference or side[one] == _FROM_ROW:
                        node = of_row
                    elif side[one] == _FROM_REFERENCE:
                        node = of_reference
                    else:
                        waiting_node[waiting] = of_reference
                        waiting_length[waiting] = length
                        waiting += 1
                        path[length] = one
                        length += 1
                        side[one] = _FROM_ROW
                        from_row += 1
                        node = of_row
                if from_reference == 0:
                    margins[at, 0] += value[node]
                if from_row == 0:
                    margins[at, 1] += value[node]
                for step in range(length):
                    one = path[step]
                    if side[one] == _FROM_ROW:
                        contributions[at, one] += value[node] * shares[from_row, from_reference]
                    else:
                        contributions[at, one] -= value[node] * shares[from_reference, from_row]
                if waiting == 0:
                    break
                waiting -= 1
                node = waiting_node[waiting]
                kept = waiting_length[waiting]
                while length > kept:
                    length -= 1
                    one = path[length]
                    if side[one] == _FROM_ROW:
                        from_row -= 1
                    else:
                        from_reference -= 1
                    side[one] = 0
                # What parted here is the last that was taken back: now by the reference's way.
                side[path[kept]] = _FROM_REFERENCE
                from_reference += 1
                length = kept + 1
            for step in range(length):
                side[path[step]] = 0


@dataclass(frozen=True, slots=True)
class TreeExplainer:
    """Explains the scores of trees; see `risk.explainer.Explainer`.

    `shares` float64[F + 1, F + 1] is, for m features on one side of a leaf and k on the other, what of the leaf's value
    each of the m gets: (m - 1)! k! / (m + k)!.
    """

    trees: Trees
    shares: npt.NDArray[np.float64]

    def contributions(
        self, normalised: npt.NDArray[np.float64], usual: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return float64[n, F]: the Shapley values of the margin, in units of the score.

        Trees see both rows, float64[n, F], in float32, as they are served. Costs a time that grows with the leaves
        between which the two rows differ.
        """
        found = np.zeros(normalised.shape)
        margins = np.full((len(normalised), 2), self.trees.offset)
        _walk(
            normalised.astype(np.float32, order="C"),  # one layout, one compilation
            usual.astype(np.float32, order="C"),
            self.trees.roots,
            self.trees.feature,
            self.trees.threshold,
            self.trees.left,
            self.trees.right,
            self.trees.value,
            self.shares,
            found,
            margins,
        )
        return np.asarray(found * _slope(self.trees.link, margins[:, 0], margins[:, 1])[:, None])


def tree_explainer(trees: Trees) -> TreeExplainer:
    """Return what explains the scores of trees.

    >>> stump = Trees(np.array([0]), np.array([0, LEAF, LEAF]), np.zeros(3, np.float32), np.array([1, 0, 0]),
    ...               np.array([2, 0, 0]), np.array([0.0, 0.2, 0.7]), 0.0, "identity", 2)
    >>> tree_explainer(stump).contributions(np.array([[1.0, 5.0]]), np.array([[-1.0, 0.0]])).round(9).tolist()
    [[0.5, 0.0]]
    """
    shares = np.zeros((trees.feature_count + 1, trees.feature_count + 1))
    for own in range(1, trees.feature_count + 1):
        for others in range(trees.feature_count + 1 - own):
            shares[own, others] = 1.0 / (own * math.comb(own + others, own))
    return TreeExplainer(trees, shares)


def _slope(link: Link, margin: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the difference of two scores divided by that of their margins, float64[n]."""
    if link == "identity":
        return np.ones(len(margin))
    if link == "logistic":
        scores = 1.0 / (1.0 + np.exp(-margin)) - 1.0 / (1.0 + np.exp(-reference))
    else:
        scores = np.exp2(-margin) - np.exp2(-reference)
    return score_slope(scores, margin - reference)
