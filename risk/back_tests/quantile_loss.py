"""The quantile loss of values at risk, by which two forecasts of one quantile are compared: the lower is the better."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def mean_quantile_loss(
    loss_percent: NDArray[np.float64], value_at_risk_percent: NDArray[np.float64], level: float
) -> float:
    """Return the mean quantile loss in percent of the price, of columns float64[n]; 0 without bars.

    A bar adds `level` times what it lost beyond the value at risk, or `1 - level` times what it stayed below it
    (Koenker and Bassett, "Regression quantiles", Econometrica 46, 1978).

    >>> round(mean_quantile_loss(np.array([3.0, 1.0]), np.array([2.0, 2.0]), 0.99), 12)
    0.5
    """
    total = 0.0
    for at in range(len(loss_percent)):
        beyond = loss_percent[at] - value_at_risk_percent[at]
        total += level * beyond if beyond > 0.0 else (level - 1.0) * beyond
    return total / max(len(loss_percent), 1)
