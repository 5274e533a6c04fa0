"""Discount factors from a zero curve: log-linear between its nodes.

A *zero curve* is everywhere two arrays: `tenors_years` float64[T], rising and positive, and `zero_percent` float64[T],
continuously compounded yields in percent, so that a node's discount factor is exp(-zero/100 x tenor).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def log_discount_factor(tenors_years: NDArray[np.float64], log_discount: NDArray[np.float64], years: float) -> float:
    """Return the logarithm of the discount factor at a time, from the logarithms at the nodes.

    It is linear between nodes and from 0 at time 0, so that the forward rate is constant there; beyond the last node
    the zero rate is the last node's.

    >>> log_discount_factor(np.array([1.0, 3.0]), np.array([-0.01, -0.05]), 2.0)
    -0.03
    """
    left_years, left = 0.0, 0.0
    for at in range(len(tenors_years)):
        if years <= tenors_years[at]:
            share = (years - left_years) / (tenors_years[at] - left_years)
            return float(left + share * (log_discount[at] - left))
        left_years, left = tenors_years[at], log_discount[at]
    return left * years / left_years


@njit(cache=True)
def discount_factors(
    tenors_years: NDArray[np.float64], zero_percent: NDArray[np.float64], times_years: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the discount factor at each time of a zero curve, float64[C]; times are in years, 0 or more.

    >>> discount_factors(np.array([1.0, 2.0]), np.array([2.0, 3.0]), np.array([0.0, 1.0, 1.5, 2.0])).round(6).tolist()
    [1.0, 0.980199, 0.960789, 0.941765]
    """
    log_discount = -zero_percent / 100.0 * tenors_years
    factors = np.empty(len(times_years))
    for at in range(len(times_years)):
        factors[at] = math.exp(log_discount_factor(tenors_years, log_discount, times_years[at]))
    return factors


def zero_rates(
    tenors_years: NDArray[np.float64], zero_percent: NDArray[np.float64], times_years: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the zero rates in percent at times other than the nodes, float64[C]; times are in years, more than 0.

    >>> zero_rates(np.array([1.0, 2.0]), np.array([2.0, 3.0]), np.array([0.5, 1.5, 9.0])).round(6).tolist()
    [2.0, 2.666667, 3.0]
    """
    log_discount = -zero_percent / 100.0 * tenors_years
    logs = np.array([log_discount_factor(tenors_years, log_discount, one) for one in times_years.tolist()])
    return -100.0 * logs / times_years
