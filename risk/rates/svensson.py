"""The Nelson-Siegel and Svensson forms of a zero curve, fitted by linear least squares on a grid of decays.

y(t) = b0 + b1 g(t/d1) + b2 h(t/d1) + b3 h(t/d2), with g(x) = (1 - exp(-x)) / x and h(x) = g(x) - exp(-x); yields are
continuously compounded, in percent, and t and the decays d are in years. Nelson and Siegel (1987) have b3 = 0; Svensson
(1994, NBER 4871) adds it. Given the decays the yields are linear in b, so a grid finds the same fit every time, where a
search from a random start would not.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

DIEBOLD_LI_DECAY_YEARS = 1.0 / (12.0 * 0.0609)
"""Diebold and Li (2006, s. 3): lambda = 0.0609 a month, where the curvature's loading is greatest at 30 months."""

_RATIO = 1.3
# Decays in years: from three months, each 1.3 times the one before, up to about ten years.
_DECAYS_YEARS = 0.25 * _RATIO ** np.arange(15)
# Two decays that lie closer have loadings that no data can tell apart.
_LEAST_STEPS_APART = 2
# A column that is this much combined of the others, relative to its length, is not fitted.
_LEAST_INDEPENDENT = 1e-3


@dataclass(frozen=True, slots=True)
class SvenssonCurve:
    """A fitted curve: `coefficients_percent` float64[4], `decays_years` float64[2], and the root mean square error."""

    coefficients_percent: NDArray[np.float64]
    decays_years: NDArray[np.float64]
    fit_error_bp: float


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


def fit_svensson(tenors_years: NDArray[np.float64], zero_percent: NDArray[np.float64]) -> SvenssonCurve:
    """Return the curve that fits zero rates best, on a grid of decays from three months to ten years.

    Six tenors or more are fitted by Svensson's form, four or five by Nelson and Siegel's at the decay of Diebold and
    Li, fewer by their mean: a form with as many coefficients as there are tenors would fit anything.

    >>> tenors = np.array([0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0])
    >>> curve = fit_svensson(tenors, 4.0 - 2.0 * np.exp(-tenors / 3.0))
    >>> bool(curve.fit_error_bp < 3.0)
    True
    """
    coefficients, decays, error_bp = fit_svensson_arrays(tenors_years, zero_percent)
    return SvenssonCurve(coefficients, decays, error_bp)


@njit(cache=True)
def fit_svensson_arrays(
    tenors_years: NDArray[np.float64], zero_percent: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return coefficients float64[4], decays float64[2] and the error in bp of `fit_svensson`, for compiled loops."""
    count = len(tenors_years)
    decays = np.array([DIEBOLD_LI_DECAY_YEARS, DIEBOLD_LI_DECAY_YEARS])
    used = 3 if count >= 4 else 1
    best, squares = _least_squares(tenors_years, zero_percent, decays[0], decays[1], used)
    if count >= 6:
        for first in range(len(_DECAYS_YEARS)):
            for second in range(first + _LEAST_STEPS_APART, len(_DECAYS_YEARS)):
                found, left = _least_squares(tenors_years, zero_percent, _DECAYS_YEARS[first], _DECAYS_YEARS[second], 4)
                if left < squares:
                    best, squares = found, left
                    decays[0], decays[1] = _DECAYS_YEARS[first], _DECAYS_YEARS[second]
    return best, decays, 100.0 * math.sqrt(squares / count)


@njit(cache=True)
def _least_squares(
    tenors_years: NDArray[np.float64], zero_percent: NDArray[np.float64], first: float, second: float, used: int
) -> tuple[NDArray[np.float64], float]:
    """Return the coefficients of the first `used` loadings, and the sum of squares left; modified Gram-Schmidt."""
    count = len(tenors_years)
    basis = np.empty((used, count))
    for at in range(count):
        loadings = svensson_loadings(tenors_years[at], first, second)
        for column in range(used):
            basis[column, at] = loadings[column]
    triangle = np.zeros((used, used))
    left = zero_percent.copy()
    projections = np.zeros(used)
    for column in range(used):
        length = math.sqrt(np.sum(basis[column] * basis[column]))
        for earlier in range(column):
            triangle[earlier, column] = np.sum(basis[earlier] * basis[column])
            basis[column] -= triangle[earlier, column] * basis[earlier]
        independent = math.sqrt(np.sum(basis[column] * basis[column]))
        triangle[column, column] = independent
        if independent <= _LEAST_INDEPENDENT * length:
            return np.zeros(4), np.inf
        basis[column] /= independent
        projections[column] = np.sum(basis[column] * left)
        left -= projections[column] * basis[column]
    coefficients = np.zeros(4)
    for column in range(used - 1, -1, -1):
        known = projections[column]
        for later in range(column + 1, used):
            known -= triangle[column, later] * coefficients[later]
        coefficients[column] = known / triangle[column, column]
    return coefficients, np.sum(left * left)
