"""The duration test: are exceedances as likely after a long quiet time as after a short one?

Christoffersen and Pelletier, "Backtesting value-at-risk: a duration-based approach", Journal of Financial Econometrics
2 (2004). Durations between exceedances follow a Weibull distribution, of which the exponential, without memory, is the
case of shape 1; a shape below 1 tells of clusters.
"""

import math

import numpy as np
from numpy.typing import NDArray

from risk.back_tests.back_test_result import BackTestResult
from risk.distributions.chi_squared import chi_squared_survival

_SHAPES = (0.01, 100.0)
_HALVINGS = 60


def duration_test(exceeded: NDArray[np.bool_]) -> BackTestResult:
    """Return the likelihood ratio of a Weibull over an exponential duration, chi-squared with one degree of freedom.

    `exceeded` is bool[n] in the order of time. The time before the first exceedance and after the last are censored
    durations. With fewer than two whole durations, which are three exceedances, the statistic is 0 and its p-value 1.

    >>> duration_test(np.repeat([False, True, False], [120, 5, 125])).p_value < 0.01
    True
    >>> duration_test(np.zeros(250, dtype=np.bool_))
    BackTestResult(statistic=0.0, p_value=1.0)
    """
    at = np.flatnonzero(exceeded)
    whole = np.diff(at).astype(np.float64)
    if len(whole) < 2:
        return BackTestResult(0.0, 1.0)
    censored = [float(one) for one in (at[0] + 1 if at[0] > 0 else 0, len(exceeded) - 1 - at[-1]) if one > 0]
    every = np.concatenate([whole, censored])
    # In units of the longest, no power of a duration overflows; the ratio of likelihoods does not know the unit.
    unit = every.max()
    logarithms, whole_logarithms = np.log(every / unit), np.log(whole / unit)
    low, high = _SHAPES
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        if _slope(middle, logarithms, whole_logarithms) > 0.0:
            low = middle
        else:
            high = middle
    best = _log_likelihood(math.sqrt(low * high), logarithms, whole_logarithms)
    ratio = max(2.0 * (best - _log_likelihood(1.0, logarithms, whole_logarithms)), 0.0)
    return BackTestResult(ratio, chi_squared_survival(ratio, 1))


def _log_likelihood(shape: float, logarithms: NDArray[np.float64], whole_logarithms: NDArray[np.float64]) -> float:
    """Return the log-likelihood at a shape, with the scale that fits best at it."""
    whole = len(whole_logarithms)
    scale = math.log(whole / float(np.exp(shape * logarithms).sum()))
    return whole * (scale + math.log(shape) - 1.0) + (shape - 1.0) * float(whole_logarithms.sum())


def _slope(shape: float, logarithms: NDArray[np.float64], whole_logarithms: NDArray[np.float64]) -> float:
    """Return the derivative of the log-likelihood in the shape, which falls as the shape grows."""
    powers = np.exp(shape * logarithms)
    weighted = float((powers * logarithms).sum() / powers.sum())
    whole = len(whole_logarithms)
    return whole / shape + float(whole_logarithms.sum()) - whole * weighted
