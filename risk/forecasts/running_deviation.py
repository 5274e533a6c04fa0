"""The running standard deviation of changes: exponentially weighted, about zero.

After changes x_1 ... x_t it is the root of (w q0 d^t + sum of d^(t-i) x_i^2) / (w d^t + sum of d^(t-i)), where q0 is
the variance it starts from, which counts for w = START_CHANGES changes: RiskMetrics' estimator (J.P. Morgan,
RiskMetrics Technical Document, 4th edition, 1996, section 5.2), its weights made to add up to 1 from the first on.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

START_CHANGES = 0.01
"""So few, because an unseen key may move a hundredth of what a typical one does: its own changes soon outweigh that."""

_LEAST = 1e-6
"""A deviation is never less than this share of the one that it started from: what does not move has still a scale."""


@njit(cache=True)
def add_change(weight: float, square: float, change: float, decay: float) -> tuple[float, float]:
    """Return the sums of weights and of weighted squares after a change.

    >>> add_change(5.0, 5.0, 3.0, 0.5)
    (3.5, 11.5)
    """
    return decay * weight + 1.0, decay * square + change * change


@njit(cache=True)
def deviation_of(weight: float, square: float, start: float) -> float:
    """Return the deviation that the sums tell of, which began at `start`.

    >>> deviation_of(2.0, 8.0, 1.0)
    2.0
    """
    return max(math.sqrt(square / weight), _LEAST * start)


@njit(cache=True)
def running_deviations(changes: NDArray[np.float64], start: float, decay: float) -> NDArray[np.float64]:
    """Return the deviation after each change, that change included: float64[n].

    >>> running_deviations(np.array([1.0, 0.0]), 1.0, 0.5).round(6).tolist()
    [1.0, 0.57831]
    """
    deviations = np.empty(len(changes))
    weight, square = START_CHANGES, START_CHANGES * start * start
    for at in range(len(changes)):
        weight, square = add_change(weight, square, changes[at], decay)
        deviations[at] = deviation_of(weight, square, start)
    return deviations
