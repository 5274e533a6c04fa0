"""Explanations of rows, as columns: what would be usual, how that would score, and what makes the difference."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.usual_row import Usual

ADDITIVITY_TOLERANCE = 1e-5
"""How far contributions may be from adding up: trees and the network are served in float32, and explained in double.
Most was 1.3e-6 in 73,000 rows of a network, and 5e-6 in rows drawn out to extremes. Models in double come within
1e-12."""


@dataclass(frozen=True, slots=True)
class Explanations:
    """Explanations of n scores: `score[i] - usual_score[i]` is the sum of row i of `contributions`.

    `usual` are the usual rows, `score` and `usual_score` float64[n], and `contributions` float64[n, F] in units of the
    score.
    """

    usual: Usual
    score: npt.NDArray[np.float64]
    usual_score: npt.NDArray[np.float64]
    contributions: npt.NDArray[np.float64]

    def not_additive(self) -> npt.NDArray[np.int64]:
        """Return the rows, int64[m], whose contributions miss the difference of scores by more than the tolerance.

        >>> usual = Usual(np.zeros((2, 1)), np.zeros((2, 1)), np.zeros((2, 1), dtype=np.bool_))
        >>> score, usual_score = np.array([0.9, 0.9]), np.array([0.1, 0.1])
        >>> Explanations(usual, score, usual_score, np.array([[0.8], [0.7]])).not_additive().tolist()
        [1]
        """
        missed = self.score - self.usual_score - self.contributions.sum(axis=1)
        # Written so that NaN is not additive either.
        return np.flatnonzero(~(np.abs(missed) <= ADDITIVITY_TOLERANCE))
