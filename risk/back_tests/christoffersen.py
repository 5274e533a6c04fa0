"""Christoffersen's tests: do exceedances come alone, and both alone and as often as the level promises?

Christoffersen, "Evaluating interval forecasts", International Economic Review 39 (1998).
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.back_tests.back_test_result import BackTestResult
from risk.back_tests.bernoulli_likelihood import greatest_log_likelihood
from risk.back_tests.proportion_of_failures import proportion_of_failures_ratio
from risk.distributions.chi_squared import chi_squared_survival


@njit(cache=True)
def independence_ratio(exceeded: NDArray[np.bool_]) -> float:
    """Return the likelihood ratio of exceedances that depend on the bar before; chi-squared with one degree of freedom.

    `exceeded` is bool[n], in the order of time.

    >>> round(independence_ratio(np.array([False, True, True, True, False, False, False])), 6)
    0.679596
    """
    counts = np.zeros((2, 2), dtype=np.int64)
    for at in range(1, len(exceeded)):
        counts[int(exceeded[at - 1]), int(exceeded[at])] += 1
    after_none, after_one = counts[0, 0] + counts[0, 1], counts[1, 0] + counts[1, 1]
    dependent = greatest_log_likelihood(after_none, counts[0, 1]) + greatest_log_likelihood(after_one, counts[1, 1])
    independent = greatest_log_likelihood(after_none + after_one, counts[0, 1] + counts[1, 1])
    return max(2.0 * (dependent - independent), 0.0)


def independence(exceeded: NDArray[np.bool_]) -> BackTestResult:
    """Return Christoffersen's test of independence of a column of exceedances, bool[n] in the order of time.

    >>> clustered = np.repeat([False, True, False], [120, 10, 120])
    >>> independence(clustered).p_value < 1e-9
    True
    """
    ratio = independence_ratio(exceeded)
    return BackTestResult(ratio, chi_squared_survival(ratio, 1))


def conditional_coverage(exceeded: NDArray[np.bool_], level: float) -> BackTestResult:
    """Return Christoffersen's test of conditional coverage: Kupiec's ratio and that of independence together.

    Their sum is chi-squared with two degrees of freedom where the level holds after every bar.

    >>> clustered = np.repeat([False, True, False], [120, 10, 120])
    >>> conditional_coverage(clustered, 0.96).statistic > independence(clustered).statistic - 1e-12
    True
    """
    bars, many = len(exceeded), int(np.count_nonzero(exceeded))
    ratio = proportion_of_failures_ratio(bars, many, level) + independence_ratio(exceeded)
    return BackTestResult(ratio, chi_squared_survival(ratio, 2))
