"""Value at risk and expected shortfall of equally likely outcomes: residuals seen, or paths simulated."""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.value_at_risk.loss import loss_percent


@njit(cache=True)
def worse_outcomes(outcomes: int, level: float) -> int:
    """Return how many of equally likely outcomes are worse than the value at risk at a level such as 0.99.

    >>> worse_outcomes(500, 0.99), worse_outcomes(1_024, 0.95)
    (5, 51)
    """
    # 1 - level is off by a rounding, which must not cost an outcome where the product is a whole number.
    return int(outcomes * (1.0 - level) + 1e-9)


@njit(cache=True)
def empirical_tail(
    ascending: NDArray[np.float64], outcomes: int, level: float, mean_percent: float, deviation_percent: float
) -> tuple[float, float]:
    """Return (value at risk, expected shortfall) in percent of the price, of equally likely outcomes.

    An outcome z is the log return `mean_percent + deviation_percent * z`. Of `outcomes` in all, `ascending`
    float64[at least worse_outcomes + 1] holds the lowest, lowest first. The value at risk is the least loss that is
    exceeded with a probability of at most `1 - level`, and the expected shortfall the mean of the losses in the worst
    `1 - level` of the cases, in which the outcome at the edge counts by its part (Acerbi and Tasche, "On the coherence
    of expected shortfall", Journal of Banking and Finance 26, 2002, definition 2.6 and proposition 4.1).

    >>> value_at_risk, shortfall = empirical_tail(np.array([-3.0, -2.0, -1.0]), 100, 0.99, 0.0, 1.0)
    >>> round(value_at_risk, 6), round(shortfall, 6)
    (1.980133, 2.955447)
    """
    worse = worse_outcomes(outcomes, level)
    total = 0.0
    for at in range(worse):
        total += loss_percent(mean_percent + deviation_percent * ascending[at])
    edge = loss_percent(mean_percent + deviation_percent * ascending[worse])
    share = outcomes * (1.0 - level)
    return edge, max((total + max(share - worse, 0.0) * edge) / share, edge)


@njit(cache=True)
def put_smallest(values: NDArray[np.float64], ascending: NDArray[np.float64]) -> None:
    """Fill `ascending` with the smallest of at least as many values, smallest first.

    >>> smallest = np.empty(2)
    >>> put_smallest(np.array([3.0, 1.0, 2.0]), smallest)
    >>> smallest.tolist()
    [1.0, 2.0]
    """
    wanted = len(ascending)
    ascending[:] = math.inf
    for value in values:
        if value < ascending[wanted - 1]:
            at = wanted - 1
            while at > 0 and ascending[at - 1] > value:
                ascending[at] = ascending[at - 1]
                at -= 1
            ascending[at] = value
