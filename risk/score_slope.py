"""How much of score there is to one unit of margin, between two rows."""

import numpy as np
import numpy.typing as npt


def score_slope(
    score_difference: npt.NDArray[np.float64], margin_difference: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the first divided by the second, float64[n]; 0 where the margins are the same, and so the scores.

    >>> score_slope(np.array([0.3, 0.0]), np.array([2.0, 0.0])).tolist()
    [0.15, 0.0]
    """
    slope = np.zeros(len(margin_difference))
    return np.divide(score_difference, margin_difference, out=slope, where=margin_difference != 0.0)
