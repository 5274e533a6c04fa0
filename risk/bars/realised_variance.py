"""Measures of the variance of one bar from the prices inside it, in percent squared.

Realised and bipower variance take the returns from price to price; each has a form that adds one return at a time, for
a bar that is still open. The two of the range need the open, high, low and close alone. Prices are positive; their
logarithms are subtracted, because the quotient of two valid prices can overflow.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def add_to_realised_variance(realised_variance_percent2: float, log_return_percent: float) -> float:
    """Return the realised variance with one return more: the sum of squared returns.

    Andersen and Bollerslev, "Answering the skeptics: yes, standard volatility models do provide accurate forecasts",
    International Economic Review 39 (1998), section 3.

    >>> add_to_realised_variance(1.0, -2.0)
    5.0
    """
    return realised_variance_percent2 + log_return_percent * log_return_percent


@njit(cache=True)
def add_to_bipower_variance(
    bipower_variance_percent2: float, previous_log_return_percent: float, log_return_percent: float
) -> float:
    """Return the bipower variance with one return more, of which the return before it in the bar is given.

    The first return of a bar adds nothing: give 0 as the one before. A jump, which is large in one return alone, hardly
    shows. Barndorff-Nielsen and Shephard, "Power and bipower variation with stochastic volatility and jumps", Journal
    of Financial Econometrics 2 (2004), section 3: pi / 2 times the sum of |r[i - 1]| |r[i]|.

    >>> round(add_to_bipower_variance(1.0, -2.0, 1.0), 12)
    4.14159265359
    """
    return bipower_variance_percent2 + 0.5 * math.pi * abs(previous_log_return_percent) * abs(log_return_percent)


@njit(cache=True)
def realised_variance_percent2(log_returns_percent: NDArray[np.float64]) -> float:
    """Return the realised variance of a bar's returns float64[n] in percent; 0 without any.

    >>> realised_variance_percent2(np.array([1.0, -2.0]))
    5.0
    """
    total = 0.0
    for one in log_returns_percent:
        total = add_to_realised_variance(total, one)
    return total


@njit(cache=True)
def bipower_variance_percent2(log_returns_percent: NDArray[np.float64]) -> float:
    """Return the bipower variance of a bar's returns float64[n] in percent; 0 for fewer than two.

    >>> round(bipower_variance_percent2(np.array([1.0, -2.0, 1.0])), 12)
    6.28318530718
    """
    total, previous = 0.0, 0.0
    for one in log_returns_percent:
        total = add_to_bipower_variance(total, previous, one)
        previous = one
    return total


@njit(cache=True)
def parkinson_variance_percent2(high: float, low: float) -> float:
    """Return the variance that a bar's range tells: the squared log range over 4 ln 2.

    Parkinson, "The extreme value method for estimating the variance of the rate of return", Journal of Business 53
    (1980), for a price that moves without drift.

    >>> round(parkinson_variance_percent2(101.0, 100.0), 6)
    0.3571
    """
    log_range_percent = 100.0 * (math.log(high) - math.log(low))
    return log_range_percent * log_range_percent / (4.0 * math.log(2.0))


@njit(cache=True)
def garman_klass_variance_percent2(open: float, high: float, low: float, close: float) -> float:
    """Return the variance that a bar's range and its move tell together; never negative where low and high bound both.

    Half the squared log range less (2 ln 2 - 1) times the squared log return from open to close: Garman and Klass, "On
    the estimation of security price volatilities from historical data", Journal of Business 53 (1980), the practical
    form of their best estimator.

    >>> round(garman_klass_variance_percent2(100.0, 101.0, 100.0, 101.0), 6)
    0.112579
    """
    log_range_percent = 100.0 * (math.log(high) - math.log(low))
    move_percent = 100.0 * (math.log(close) - math.log(open))
    return 0.5 * log_range_percent * log_range_percent - (2.0 * math.log(2.0) - 1.0) * move_percent * move_percent
