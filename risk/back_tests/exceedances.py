"""Exceedances: the bars that lost more than their value at risk."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def exceedances(loss_percent: NDArray[np.float64], value_at_risk_percent: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which bars lost more than the value at risk in force for them, bool[n].

    Both columns are float64[n] in percent of the price, a loss positive. A loss of exactly the value at risk is none.

    >>> exceedances(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])).tolist()
    [False, False, True]
    """
    exceeded = np.empty(len(loss_percent), dtype=np.bool_)
    for at in range(len(loss_percent)):
        exceeded[at] = loss_percent[at] > value_at_risk_percent[at]
    return exceeded
