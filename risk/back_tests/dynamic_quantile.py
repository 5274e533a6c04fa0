"""The dynamic quantile test: can exceedances be foretold from those before, or from the value at risk itself?

Engle and Manganelli, "CAViaR: conditional autoregressive value at risk by regression quantiles", Journal of Business
and Economic Statistics 22 (2004), section 4.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.back_tests.back_test_result import BackTestResult
from risk.distributions.chi_squared import chi_squared_survival

LAGS = 4
"""How many bars the regression looks back, as in the paper."""

_LEAST_BARS = 5 * (LAGS + 2)

# A regressor whose part across the others is this small beside it, squared, adds nothing but rounding.
_COLLINEAR = 1e-12

# So does a value at risk that varies by this little beside itself, squared.
_CONSTANT = 1e-18


@njit(cache=True)
def dynamic_quantile_statistic(
    exceeded: NDArray[np.bool_], value_at_risk_percent: NDArray[np.float64], level: float
) -> tuple[float, int]:
    """Return the statistic and its degrees of freedom; (0, 1) for fewer than 30 bars beyond the lags.

    Exceedances less their probability are regressed on a constant, the last four of themselves and the value at risk
    in force. Regressors that depend on those before them are left out, as the lags are where nothing was exceeded,
    and the degrees of freedom are the regressors that stay. The squared length of what the regression explains is found
    from the Cholesky factor of its normal equations.

    >>> dynamic_quantile_statistic(np.zeros(104, dtype=np.bool_), np.full(104, 2.0), 0.99)[1]
    1
    """
    bars = len(exceeded) - LAGS
    if bars < _LEAST_BARS:
        return 0.0, 1
    gram, target = _normal_equations(exceeded, value_at_risk_percent, level)
    size = len(target)
    lower, solved = np.zeros((size, size)), np.zeros(size)
    statistic, kept = 0.0, 0
    for row in range(size):
        pivot, right = gram[row, row], target[row]
        for column in range(row):
            if lower[column, column] > 0.0:
                value = gram[row, column]
                for before in range(column):
                    value -= lower[row, before] * lower[column, before]
                lower[row, column] = value / lower[column, column]
            pivot -= lower[row, column] * lower[row, column]
            right -= lower[row, column] * solved[column]
        if pivot > _COLLINEAR * gram[row, row]:
            lower[row, row] = np.sqrt(pivot)
            solved[row] = right / lower[row, row]
            statistic += solved[row] * solved[row]
            kept += 1
        else:
            lower[row] = 0.0
    return statistic / ((1.0 - level) * level), kept


@njit(cache=True)
def _normal_equations(
    exceeded: NDArray[np.bool_], value_at_risk_percent: NDArray[np.float64], level: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the products of the regressors, float64[6, 6] and its lower half alone, and theirs with the regressand.

    The lags are taken as 0 and 1, and the value at risk less its mean: beside a constant that changes no fit, and all
    products but two come from the few bars that exceeded.
    """
    first, end, last = LAGS, len(exceeded), LAGS + 1
    gram, target = np.zeros((LAGS + 2, LAGS + 2)), np.zeros(LAGS + 2)
    mean = 0.0
    for at in range(first, end):
        mean += value_at_risk_percent[at]
    mean /= end - first
    squares = 0.0
    for at in range(first, end):
        apart = value_at_risk_percent[at] - mean
        gram[last, last] += apart * apart
        squares += value_at_risk_percent[at] * value_at_risk_percent[at]
    if gram[last, last] <= _CONSTANT * squares:
        gram[last, last] = 0.0
    gram[0, 0] = end - first
    for hit in range(end):
        if not exceeded[hit]:
            continue
        if hit >= first:
            target[0] += 1.0
            target[last] += value_at_risk_percent[hit] - mean
        # This bar is the regressor of lag `one` for the bar that follows it by as many.
        for one in range(1, LAGS + 1):
            at = hit + one
            if not first <= at < end:
                continue
            gram[one, 0] += 1.0
            gram[last, one] += value_at_risk_percent[at] - mean
            for other in range(1, one + 1):
                if exceeded[at - other]:
                    gram[one, other] += 1.0
            if exceeded[at]:
                target[one] += 1.0
    probability = 1.0 - level
    for one in range(LAGS + 1):
        target[one] -= probability * gram[one, 0]
    return gram, target


def dynamic_quantile(
    exceeded: NDArray[np.bool_], value_at_risk_percent: NDArray[np.float64], level: float
) -> BackTestResult:
    """Return the dynamic quantile test of columns bool[n] and float64[n], in the order of time.

    >>> clustered = np.repeat([False, True, False], [120, 10, 120])
    >>> dynamic_quantile(clustered, np.full(250, 2.0), 0.96).p_value < 1e-9
    True
    """
    statistic, freedom = dynamic_quantile_statistic(exceeded, value_at_risk_percent, level)
    return BackTestResult(statistic, chi_squared_survival(statistic, freedom))
