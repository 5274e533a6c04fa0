"""Key rates: how a move of one tenor spreads to times around it (Ho, "Key Rate Durations", J. Fixed Income, 1992).

A key rate's move is whole at its own tenor and falls linearly to nothing at its neighbours; before the first and after
the last tenor it stays whole. So the moves of all key rates by one amount are the parallel move by that amount.
"""

import numpy as np
from numpy.typing import NDArray

KEY_TENORS_YEARS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 20.0, 30.0)
"""The tenors at which key-rate durations are told: the US Treasury's without 1 month."""


def key_rate_weights(
    times_years: NDArray[np.float64], key_tenors_years: tuple[float, ...] = KEY_TENORS_YEARS
) -> NDArray[np.float64]:
    """Return how much of each key rate's move reaches each time: float64[K, C], whose columns add up to 1.

    >>> key_rate_weights(np.array([0.5, 1.5, 9.0]), (1.0, 2.0)).tolist()
    [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]
    """
    tenors = np.array(key_tenors_years)
    moved = np.clip(times_years, tenors[0], tenors[-1])
    return np.array([np.interp(moved, tenors, one) for one in np.eye(len(tenors))])


def parallel_bump(zero_percent: NDArray[np.float64], bump_bp: float) -> NDArray[np.float64]:
    """Return zero rates, float64[T], all moved by `bump_bp`.

    >>> parallel_bump(np.array([1.0, 2.0]), 10.0).round(12).tolist()
    [1.1, 2.1]
    """
    return zero_percent + bump_bp / 100.0


def key_rate_bump(
    tenors_years: NDArray[np.float64],
    zero_percent: NDArray[np.float64],
    key: int,
    bump_bp: float,
    key_tenors_years: tuple[float, ...] = KEY_TENORS_YEARS,
) -> NDArray[np.float64]:
    """Return zero rates, float64[T], with the move of key rate number `key` spread to them.

    >>> key_rate_bump(np.array([1.0, 1.5, 2.0]), np.array([2.0, 2.0, 2.0]), 1, 10.0, (1.0, 2.0)).round(12).tolist()
    [2.0, 2.05, 2.1]
    """
    weights: NDArray[np.float64] = key_rate_weights(tenors_years, key_tenors_years)[key]
    return zero_percent + bump_bp / 100.0 * weights
