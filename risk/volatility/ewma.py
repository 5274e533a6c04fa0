"""The exponentially weighted variance of RiskMetrics, one step at a time."""

from numba import njit


@njit(cache=True)
def next_ewma_variance(variance: float, log_return: float, decay: float) -> float:
    """Return the forecast of the next return's variance, in squared units of the returns.

    The mean is taken as zero: `(1 - decay) * r**2 + decay * variance` (J.P. Morgan/Reuters, RiskMetrics
    Technical Document, 4th edition, 1996, section 5.2; decay is 0.94 there for daily returns).

    >>> round(next_ewma_variance(1.0, 2.0, 0.94), 12)
    1.18
    """
    return (1.0 - decay) * (log_return * log_return) + decay * variance
