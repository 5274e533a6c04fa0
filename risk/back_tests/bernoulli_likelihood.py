"""The likelihood of trials that succeed with one probability, of which likelihood ratios of exceedances are made."""

import math

from numba import njit


@njit(cache=True)
def bernoulli_log_likelihood(trials: int, successes: int, probability: float) -> float:
    """Return the logarithm of the likelihood of as many successes in a certain order; what never happens counts 0.

    >>> round(bernoulli_log_likelihood(3, 1, 0.5), 12), bernoulli_log_likelihood(3, 0, 0.0)
    (-2.07944154168, 0.0)
    """
    total = 0.0
    if successes > 0:
        total += successes * math.log(probability)
    if successes < trials:
        total += (trials - successes) * math.log1p(-probability)
    return total


@njit(cache=True)
def greatest_log_likelihood(trials: int, successes: int) -> float:
    """Return the log-likelihood at the probability that fits best, the share of successes; 0 without trials.

    >>> round(greatest_log_likelihood(4, 2), 12)
    -2.77258872224
    """
    return bernoulli_log_likelihood(trials, successes, successes / trials) if trials > 0 else 0.0
