"""Student's t distribution, with any real degrees of freedom above 1."""

import math

from numba import njit

from risk.distributions.incomplete_beta import incomplete_beta
from risk.distributions.normal_distribution import normal_quantile

_MOST_STEPS = 60


@njit(cache=True)
def student_density(x: float, degrees_of_freedom: float) -> float:
    """Return the density of Student's t.

    >>> round(student_density(0.0, 3.0), 12)
    0.367552596948
    """
    half = 0.5 * degrees_of_freedom
    constant = math.lgamma(half + 0.5) - math.lgamma(half) - 0.5 * math.log(math.pi * degrees_of_freedom)
    return math.exp(constant - (half + 0.5) * math.log1p(x * x / degrees_of_freedom))


@njit(cache=True)
def student_cdf(x: float, degrees_of_freedom: float) -> float:
    """Return the probability that Student's t is at most x (Abramowitz and Stegun, 1964, 26.5.27).

    >>> round(student_cdf(-3.182446305284263, 3.0), 12)
    0.025
    """
    total = degrees_of_freedom + x * x
    tail = 0.5 * incomplete_beta(0.5 * degrees_of_freedom, 0.5, degrees_of_freedom / total, x * x / total)
    return tail if x < 0.0 else 1.0 - tail


@njit(cache=True)
def student_quantile(probability: float, degrees_of_freedom: float) -> float:
    """Return the x that Student's t is at most with a probability strictly between 0 and 1.

    The equation is solved in the logarithm of the tail's probability, in which Newton's steps also converge far out in
    a heavy tail, from the normal quantile or the leading term of the tail.

    >>> round(student_quantile(0.025, 3.0), 9)
    -3.182446305
    """
    tail = min(probability, 1.0 - probability)
    if tail == 0.5:
        return 0.0
    half = 0.5 * degrees_of_freedom
    # Far out the tail is C x**-v, with this C; the greater of both starts lies near the solution everywhere.
    log_c = (
        math.lgamma(half + 0.5)
        - math.lgamma(half)
        - 0.5 * math.log(math.pi)
        + (half - 1.0) * math.log(degrees_of_freedom)
    )
    x = max(-normal_quantile(tail), math.exp(min((log_c - math.log(tail)) / degrees_of_freedom, 700.0)) - 1.0)
    x = max(x, 1e-300)
    low, high = 0.0, math.inf
    for _ in range(_MOST_STEPS):
        found = student_cdf(-x, degrees_of_freedom)
        if found > tail:
            low = x
        else:
            high = x
        density = student_density(x, degrees_of_freedom)
        step = found * math.log(found / tail) / density
        following = x + step
        if not low <= following <= high:
            following = 0.5 * (low + high) if high < math.inf else 2.0 * x
        done = abs(following - x) <= 4e-16 * abs(x)
        x = following
        if done:
            break
    return -x if probability < 0.5 else x


@njit(cache=True)
def student_mean_below(x: float, degrees_of_freedom: float) -> float:
    """Return the mean of Student's t where it is at most x, times the probability of that.

    McNeil, Frey and Embrechts, Quantitative Risk Management, 2nd edition, 2015, example 2.15.

    >>> round(student_mean_below(0.0, 3.0), 12)
    -0.551328895422
    """
    return -student_density(x, degrees_of_freedom) * (degrees_of_freedom + x * x) / (degrees_of_freedom - 1.0)
