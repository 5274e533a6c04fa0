"""Explains any scorer, by scores alone: Shapley values estimated from two orders of the features."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.score_slope import score_slope
from risk.scorer import Scorer

_LEAST = 2.0**-53
"""A score is taken to lie at least so far within 0 and 1: its log odds are then finite."""


@dataclass(frozen=True, slots=True)
class PermutationExplainer:
    """Explains the scores of a scorer; see `risk.explainer.Explainer`.

    Features take the row's values one after the other, in their order and in its reverse; a feature's contribution is
    the mean of the two changes of the log odds that it brings (Castro, Gomez and Tejada 2009, "Polynomial calculation
    of the Shapley value based on sampling", with one antithetic pair; Strumbelj and Kononenko 2014). Each order adds up
    by itself. Of any two features each comes before the other once, so the values are exact where the log odds hold no
    interaction of three features or more, and of those an estimate, which is the same on every call.
    """

    scorer: Scorer

    def contributions(
        self, normalised: npt.NDArray[np.float64], usual: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return float64[n, F] for rows float64[n, F], in units of the score. Scores 2F rows for each."""
        rows, width = normalised.shape
        # Step s of an order has the row's values in the order's first s features.
        taken = np.tri(width + 1, width, -1, dtype=np.bool_)
        steps = np.stack([taken, taken[:, ::-1]])[None]
        mixed = np.where(steps, normalised[:, None, None, :], usual[:, None, None, :])
        score = self.scorer.score(mixed.reshape(-1, width)).reshape(rows, 2, width + 1)
        inside = np.clip(score, _LEAST, 1.0 - _LEAST)
        changes = np.diff(np.log(inside) - np.log1p(-inside), axis=2)
        margins = (changes[:, 0] + changes[:, 1, ::-1]) / 2.0
        ends, begins = score[:, 0, -1], score[:, 0, 0]
        slope = score_slope(ends - begins, margins.sum(axis=1))
        return np.asarray(margins * slope[:, None])
