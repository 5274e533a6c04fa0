"""Correlations of standardised residuals, one step at a time, positive semi-definite always.

Both recursions keep a matrix of products. It starts positive semi-definite, and each step scales it by a congruence and
adds a vector's product with itself, neither of which can take that away. A symbol that has no residual in a step, as
one whose market is closed, counts as 0.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

_LEAST_VARIANCE = 1e-200


@njit(cache=True)
def add_to_ewma(products: NDArray[np.float64], residuals: NDArray[np.float64], count: int, decay: float) -> None:
    """Advance exponentially weighted products, the first `count` rows and columns of float64[m, m], by residuals.

    `decay * products + (1 - decay) * z z'` (J.P. Morgan/Reuters, RiskMetrics Technical Document, 4th edition, 1996,
    section 5.2). `residuals` float64[at least count] has NaN for a symbol that is missing: it keeps its own variance,
    and its products with others fall by the square root of the decay. So a symbol that trades by day alone does not
    forget by night how it moves with others of its kind.

    >>> products = np.eye(2)
    >>> add_to_ewma(products, np.array([2.0, 1.0]), 2, 0.75)
    >>> products.tolist()
    [[1.75, 0.5], [0.5, 1.0]]
    """
    root = math.sqrt(decay)
    for i in range(count):
        here = not math.isnan(residuals[i])
        for j in range(i + 1):
            there = not math.isnan(residuals[j])
            if here and there:
                value = decay * products[i, j] + (1.0 - decay) * (residuals[i] * residuals[j])
            elif here or there:
                value = root * products[i, j]
            else:
                value = products[i, j]
            products[i, j] = value
            products[j, i] = value


@njit(cache=True)
def add_to_dcc(
    products: NDArray[np.float64],
    target: NDArray[np.float64],
    residuals: NDArray[np.float64],
    news: float,
    decay: float,
) -> None:
    """Advance the products of a scalar DCC(1,1), the first n rows and columns, by residuals; `target` is float64[n, n].

    `(1 - news - decay) * target + news * z z' + decay * products` (Engle 2002, equation 24). `residuals` has NaN for
    a symbol that is missing, whose products return towards the target.

    >>> products, target = np.eye(2), np.array([[1.0, 0.5], [0.5, 1.0]])
    >>> add_to_dcc(products, target, np.array([1.0, 1.0]), 0.25, 0.5)
    >>> products.tolist()
    [[1.0, 0.375], [0.375, 1.0]]
    """
    for i in range(len(target)):
        here = 0.0 if math.isnan(residuals[i]) else residuals[i]
        for j in range(i + 1):
            there = 0.0 if math.isnan(residuals[j]) else residuals[j]
            value = (1.0 - news - decay) * target[i, j] + news * (here * there) + decay * products[i, j]
            products[i, j] = value
            products[j, i] = value


@njit(cache=True)
def correlations(products: NDArray[np.float64], chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the correlation matrix of some symbols, float64[n, n], from the products: each divided by the deviations.

    A symbol whose residuals have been 0 for so long that nothing is left of its variance is correlated with none.

    >>> correlations(np.array([[4.0, 1.0], [1.0, 1.0]]), np.array([1, 0])).tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    count = len(chosen)
    scale = np.empty(count)
    for i in range(count):
        variance = products[chosen[i], chosen[i]]
        scale[i] = 1.0 / math.sqrt(variance) if variance > _LEAST_VARIANCE else 0.0
    found = np.empty((count, count))
    for i in range(count):
        found[i, i] = 1.0
        for j in range(i):
            value = products[chosen[i], chosen[j]] * scale[i] * scale[j]
            found[i, j] = value
            found[j, i] = value
    return found
