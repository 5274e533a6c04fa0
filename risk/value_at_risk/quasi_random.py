"""Fixed points that fill a cube evenly, in place of random numbers, which the core does without."""

import numpy as np
from numpy.typing import NDArray

_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71)

MOST_DIMENSIONS = len(_PRIMES)
"""The most dimensions of a point."""


def antithetic_weyl_points(count: int, dimensions: int) -> NDArray[np.float64]:
    """Return points strictly between 0 and 1, float64[count, dimensions]: the second half mirrors the first at 1/2.

    Point n of the first half is the fractional part of `1/2 + n * sqrt(prime)`, with a prime for each dimension
    (Weyl's sequence as Richtmyer used it: Niederreiter, "Quasi-Monte Carlo methods and pseudo-random numbers", Bulletin
    of the American Mathematical Society 84, 1978, section 4). Raises ValueError for more than 20 dimensions or an odd
    count.

    >>> antithetic_weyl_points(4, 2).round(6).tolist()
    [[0.5, 0.5], [0.914214, 0.232051], [0.5, 0.5], [0.085786, 0.767949]]
    """
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise ValueError(f"{dimensions} dimensions: there are points for 1 to {MOST_DIMENSIONS}")
    if count % 2:
        raise ValueError(f"{count} points: an antithetic set has an even number")
    points = (0.5 + np.arange(count // 2)[:, None] * np.sqrt(np.array(_PRIMES[:dimensions], dtype=np.float64))) % 1.0
    return np.concatenate([points, 1.0 - points])
