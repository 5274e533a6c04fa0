"""The binomial distribution, which exceedances follow where the level holds."""

from numba import njit

from risk.distributions.incomplete_beta import incomplete_beta


@njit(cache=True)
def binomial_cdf(successes: int, trials: int, probability: float) -> float:
    """Return the probability of at most as many successes (Abramowitz and Stegun, 1964, 26.5.24).

    >>> round(binomial_cdf(4, 250, 0.01), 6)
    0.892188
    """
    if successes >= trials:
        return 1.0
    return incomplete_beta(float(trials - successes), successes + 1.0, 1.0 - probability, probability)
