"""Counts scores and raw features by the bins of a bundle's reference."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from risk.reference import BINS, BinShares, Reference

MISSING = BINS
"""The column of the counts that holds missing values."""


@njit(cache=True)
def _add_counts(
    columns: npt.NDArray[np.float64], edges: npt.NDArray[np.float64], counts: npt.NDArray[np.int64]
) -> None:
    rows = columns.shape[1]
    for column in range(columns.shape[0]):
        values = columns[column]
        missing = 0
        for row in range(rows):
            missing += values[row] != values[row]
        # What exceeds one edge and not the next lies between them; to count that takes no branch and no search.
        above = rows - missing
        for edge in range(edges.shape[1]):
            bound = edges[column, edge]
            beyond = 0
            for row in range(rows):
                beyond += values[row] > bound
            counts[column, edge] += above - beyond
            above = beyond
        counts[column, edges.shape[1]] += above
        counts[column, edges.shape[1] + 1] += missing


class DriftBins:
    """The bins of a reference: of scores, and of features in a bundle's order.

    >>> halves = BinShares((0.5,), (0.5, 0.5))
    >>> bins = DriftBins(Reference(2, halves, {"amount": halves}), ["amount"])
    >>> bins.count(np.array([0.1, 0.2, 0.9]), np.array([[0.5], [0.6], [np.nan]]))[:, [0, 1, MISSING]].tolist()
    [[2, 1, 0], [1, 1, 1]]
    """

    def __init__(self, reference: Reference, features: Sequence[str]) -> None:
        self._score_edges = _padded([reference.scores])
        self._feature_edges = _padded(reference.features[name] for name in features)

    def count(self, scores: npt.NDArray[np.float64], raw: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Return how many values lie in each bin, int64[1 + F, BINS + 1], of scores float64[n] and raw float64[n, F].

        The first row is the scores'; the last column holds missing values. Bins that a reference lacks stay 0.
        """
        counts = np.zeros((1 + len(self._feature_edges), BINS + 1), dtype=np.int64)
        _add_counts(scores.reshape(1, -1), self._score_edges, counts[:1])
        _add_counts(np.ascontiguousarray(raw.T), self._feature_edges, counts[1:])
        return counts


def _padded(shares: Iterable[BinShares]) -> npt.NDArray[np.float64]:
    """Return the edges as rows of equal length: nothing is beyond the infinite ones added."""
    rows = [(*one.edges, *[np.inf] * (BINS - 1 - len(one.edges))) for one in shares]
    return np.array(rows, dtype=np.float64).reshape(-1, BINS - 1)
