"""The Nelson-Siegel and Svensson forms of a zero curve.

y(t) = b0 + b1 g(t/d1) + b2 h(t/d1) + b3 h(t/d2), with g(x) = (1 - exp(-x)) / x and h(x) = g(x) - exp(-x); yields are
continuously compounded, in percent, and t and the decays d are in years. Nelson and Siegel (1987) have b3 = 0; Svensson
(1994, NBER 4871) adds it.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

DIEBOLD_LI_DECAY_YEARS = 1.0 / (12.0 * 0.0609)
"""Diebold and Li (2006, s. 3): lambda = 0.0609 a month, where the curvature's loading is greatest at 30 months."""


@njit(cache=True)
def svensson_loadings(years: float, first_decay_years: float, second_decay_years: float) -> NDArray[np.float64]:
    """Return what multiplies each of the four coefficients at a time in years, more than 0: float64[4].

    >>> svensson_loadings(2.0, 2.0, 4.0).round(6).tolist()
    [1.0, 0.632121, 0.264241, 0.180408]
    """
    first, second = years / first_decay_years, years / second_decay_years
    slope = -math.expm1(-first) / first
    return np.array([1.0, slope, slope - math.exp(-first), -math.expm1(-second) / second - math.exp(-second)])


@njit(cache=True)
def svensson_yields(
    coefficients_percent: NDArray[np.float64], decays_years: NDArray[np.float64], times_years: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the zero rates in percent at times in years, more than 0: float64[C].

    >>> svensson_yields(np.array([4.0, -2.0, 0.0, 0.0]), np.array([1.5, 4.0]), np.array([1e-9, 1e9])).round(6).tolist()
    [2.0, 4.0]
    """
    found = np.empty(len(times_years))
    for at in range(len(times_years)):
        found[at] = np.sum(coefficients_percent * svensson_loadings(times_years[at], decays_years[0], decays_years[1]))
    return found
