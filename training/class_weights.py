"""Weights that make both classes count alike, however rare one of them is."""

import numpy as np
import numpy.typing as npt


def balanced_weights(target: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return a weight for each row of target bool[n], float64[n] of mean 1, whose sums over the classes are equal.

    A model fitted with them overstates the probability of the rarer class: calibrate it. Both classes must occur.

    >>> balanced_weights(np.array([True, False, False, False])).round(3).tolist()
    [2.0, 0.667, 0.667, 0.667]
    """
    events = int(target.sum())
    return np.where(target, len(target) / (2.0 * events), len(target) / (2.0 * (len(target) - events)))
