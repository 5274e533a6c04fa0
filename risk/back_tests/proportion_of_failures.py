"""Kupiec's test of the proportion of failures: are there as many exceedances as the level promises?

Kupiec, "Techniques for verifying the accuracy of risk measurement models", Journal of Derivatives 3 (1995).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.back_tests.back_test_result import BackTestResult
from risk.back_tests.bernoulli_likelihood import bernoulli_log_likelihood, greatest_log_likelihood
from risk.distributions.chi_squared import chi_squared_survival


@njit(cache=True)
def proportion_of_failures_ratio(bars: int, exceedances: int, level: float) -> float:
    """Return Kupiec's likelihood ratio, which is chi-squared with one degree of freedom where the level holds.

    >>> round(proportion_of_failures_ratio(252, 20, 0.95), 2)  # Jorion, Value at Risk, 3rd edition, 2007, chapter 6
    3.91
    """
    ratio = 2.0 * (
        greatest_log_likelihood(bars, exceedances) - bernoulli_log_likelihood(bars, exceedances, 1.0 - level)
    )
    return max(ratio, 0.0)


def proportion_of_failures(exceeded: NDArray[np.bool_], level: float) -> BackTestResult:
    """Return Kupiec's test of a column of exceedances, bool[n], of a value at risk at a level such as 0.99.

    >>> round(proportion_of_failures(np.arange(252) < 20, 0.95).p_value, 4)
    0.0479
    """
    ratio = proportion_of_failures_ratio(len(exceeded), int(np.count_nonzero(exceeded)), level)
    return BackTestResult(ratio, chi_squared_survival(ratio, 1))
