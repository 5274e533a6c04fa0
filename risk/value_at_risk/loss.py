"""The loss of a long position at a log return."""

import math

from numba import njit

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
