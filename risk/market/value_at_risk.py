"""Value at risk: the loss that a forecast exceeds with a given probability."""

import math

from numba import njit

Z_95 = 1.6448536269514726
"""The 95 % quantile of the standard normal, 1.64485362695147271486…, as the nearest double.

This and Z_99 were found to 50 digits from the series of the normal distribution (Abramowitz and Stegun,
Handbook of Mathematical Functions, 1964, 26.2.11); a test finds them so again.
"""

Z_99 = 2.326347874040841
"""The 99 % quantile of the standard normal, 2.32634787404084110088…, as the nearest double."""

MOST_LOG_RETURN_PERCENT = 10_000.0
"""A log return further from 0 than this counts as this, so that no forecast of a gain, however wild, overflows."""


@njit(cache=True)
def loss_percent(log_return_percent: float) -> float:
    """Return the loss of a long position, in percent of its price, at a log return; a gain is negative.

    >>> round(loss_percent(-1.0), 6)
    0.995017
    """
    held = min(max(log_return_percent, -MOST_LOG_RETURN_PERCENT), MOST_LOG_RETURN_PERCENT)
    return -100.0 * math.expm1(held / 100.0)


@njit(cache=True)
def value_at_risk_percent(mean_percent: float, variance_percent2: float, quantile: float) -> float:
    """Return the loss of a long position in percent of its price, at a quantile of the standard normal.

    The log return is normal with the mean given (percent) and variance (percent squared), so the loss is
    `100 * (1 - exp((mean - quantile * deviation) / 100))` (McNeil, Frey and Embrechts, Quantitative Risk
    Management, 2nd edition, 2015, section 2.3). It is negative where even that quantile is a gain.

    >>> round(value_at_risk_percent(0.0, 1.0, Z_99), 6)
    2.299497
    """
    return loss_percent(mean_percent - quantile * math.sqrt(variance_percent2))


@njit(cache=True)
def shortfall_deviations(log_return_percent: float, mean_percent: float, variance_percent2: float) -> float:
    """Return how many forecast standard deviations a log return fell short of its mean.

    The loss exceeded the value at risk where this exceeds the quantile.

    >>> shortfall_deviations(-3.0, 1.0, 4.0)
    2.0
    """
    return (mean_percent - log_return_percent) / math.sqrt(variance_percent2)
