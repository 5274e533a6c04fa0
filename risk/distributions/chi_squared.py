"""The chi-squared distribution, from which likelihood ratios take their p-values."""

import math

from numba import njit


@njit(cache=True)
def chi_squared_survival(statistic: float, degrees_of_freedom: int) -> float:
    """Return the probability that a chi-squared variable exceeds a statistic; 1 for a statistic not above 0.

    The degrees of freedom are a whole number above 0: then the tail is a finite sum (Abramowitz and Stegun, Handbook
    of Mathematical Functions, 1964, 26.4.4 and 26.4.5).

    >>> round(chi_squared_survival(3.841458820694124, 1), 12)
    0.05
    """
    if not statistic > 0.0:
        return 1.0
    half = 0.5 * statistic
    if degrees_of_freedom % 2 == 0:
        total, term, first = 0.0, math.exp(-half), 1.0
    else:
        total, term, first = math.erfc(math.sqrt(half)), math.exp(-half) * math.sqrt(half / (0.25 * math.pi)), 1.5
    for at in range(degrees_of_freedom // 2):
        total += term
        term *= half / (first + at)
    return min(total, 1.0)
