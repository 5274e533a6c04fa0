"""Fits the Svensson form to zero rates by linear least squares on a grid of decays.

Given the decays the yields are linear in the coefficients, so a grid finds the same fit every time, where a search from
a random start would not, and bounds the coefficients, which run away where two decays come near or grow long (Gilli,
Grosse and Schumann, "Calibrating the Nelson-Siegel-Svensson model", 2010).
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.rates.svensson import DIEBOLD_LI_DECAY_YEARS, svensson_loadings

# Decays in years: from three months, each 1.3 times the one before, up to about ten years.
_DECAYS_YEARS = 0.25 * 1.3 ** np.arange(15)
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
    first = second = DIEBOLD_LI_DECAY_YEARS
    best, squares = _least_squares(tenors_years, zero_percent, first, second, 1)
    used = 4 if count >= 6 else 3
    if count >= 6:
        first, second = _best_decays(tenors_years, zero_percent)
    if count >= 4:
        found, left = _least_squares(tenors_years, zero_percent, first, second, used)
        if left < squares:
            best, squares = found, left
    return best, np.array([first, second]), 100.0 * math.sqrt(squares / count)


@njit(cache=True)
def _best_decays(tenors_years: NDArray[np.float64], zero_percent: NDArray[np.float64]) -> tuple[float, float]:
    """Return the two decays on the grid that leave the least sum of squares.

    What the first three loadings leave is found once for each first decay; the fourth then takes away its projection.
    """
    decays, count = len(_DECAYS_YEARS), len(tenors_years)
    slopes, curvatures = np.empty((decays, count)), np.empty((decays, count))
    for number in range(decays):
        for at in range(count):
            loadings = svensson_loadings(tenors_years[at], _DECAYS_YEARS[number], _DECAYS_YEARS[number])
            slopes[number, at], curvatures[number, at] = loadings[1], loadings[2]
    best_first, best_second, least = 0, _LEAST_STEPS_APART, np.inf
    basis, left, fourth = np.empty((3, count)), np.empty(count), np.empty(count)
    for first in range(decays - _LEAST_STEPS_APART):
        basis[0], basis[1], basis[2] = 1.0, slopes[first], curvatures[first]
        left[:] = zero_percent
        independent = True
        for column in range(3):
            independent = _orthogonalise(basis, column, basis[column]) and independent
            left -= _dot(basis[column], left) * basis[column]
        squares = _dot(left, left)
        for second in range(first + _LEAST_STEPS_APART, decays):
            fourth[:] = curvatures[second]
            if independent and _orthogonalise(basis, 3, fourth):
                remaining = squares - _dot(fourth, left) ** 2
                if remaining < least:
                    best_first, best_second, least = first, second, remaining
    return _DECAYS_YEARS[best_first], _DECAYS_YEARS[best_second]


@njit(cache=True)
def _orthogonalise(basis: NDArray[np.float64], columns: int, vector: NDArray[np.float64]) -> bool:
    """Make a vector orthogonal to some columns and of length 1, in place; return False if it depends on them."""
    length = math.sqrt(_dot(vector, vector))
    for column in range(columns):
        vector -= _dot(basis[column], vector) * basis[column]
    independent = math.sqrt(_dot(vector, vector))
    if independent <= _LEAST_INDEPENDENT * length:
        return False
    vector /= independent
    return True


@njit(cache=True)
def _dot(left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    total = 0.0
    for at in range(len(left)):
        total += left[at] * right[at]
    return total


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
