"""The last values of a series, kept in the order of their size: every quantile of them is then one look away."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def insert_sorted(ascending: NDArray[np.float64], arrivals: NDArray[np.uint16], count: int, value: float) -> int:
    """Put a value where its size belongs, in place of the oldest if there is no room; return how many there are now.

    `ascending` float64[w] holds the last w of the `count` values that came before, lowest first, `arrivals` uint16[w]
    the number of each in the order of arrival, modulo w.

    >>> ascending, arrivals = np.zeros(3), np.zeros(3, dtype=np.uint16)
    >>> [insert_sorted(ascending, arrivals, count, value) for count, value in enumerate([5.0, 3.0, 4.0, 9.0])]
    [1, 2, 3, 3]
    >>> ascending.tolist(), arrivals.tolist()
    ([3.0, 4.0, 9.0], [1, 2, 0])
    """
    width = len(ascending)
    kept = min(count, width)
    at = kept
    if kept == width:
        at = 0
        while arrivals[at] != count % width:
            at += 1
    else:
        kept += 1
    while at > 0 and ascending[at - 1] > value:
        ascending[at], arrivals[at] = ascending[at - 1], arrivals[at - 1]
        at -= 1
    while at < kept - 1 and ascending[at + 1] < value:
        ascending[at], arrivals[at] = ascending[at + 1], arrivals[at + 1]
        at += 1
    ascending[at], arrivals[at] = value, count % width
    return kept
