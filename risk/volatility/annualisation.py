"""Variances of bars as volatilities of a year, by the number of bars that a year has."""

import math

from numba import njit


@njit(cache=True)
def annualised_volatility_percent(variance_percent2: float, bars_per_year: float) -> float:
    """Return the volatility of a year, in percent, of which each bar has this variance: the square root of its sum.

    >>> round(annualised_volatility_percent(1.0, 252.0), 6)
    15.874508
    """
    return math.sqrt(variance_percent2 * bars_per_year)
