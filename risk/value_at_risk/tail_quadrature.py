"""Value at risk and expected shortfall of a log return whose standardised residual has a known distribution.

The loss is a percentage of the price, so its expected shortfall is the mean of `100 * (1 - exp(return / 100))` over the
tail, for which only the normal has a formula. A quadrature serves every distribution: its nodes depend on the
distribution and the level alone and are made once, so a bar costs as many exponentials as there are nodes.

Takahasi and Mori, "Double exponential formulas for numerical integration", Publications of RIMS 9 (1974): no
polynomial rule copes with the end of a heavy tail, where the quantile is infinite.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import standardised_quantile
from risk.value_at_risk.loss import loss_percent

_STEP = 0.16
_HALF = 21
TAIL_NODES = 2 * _HALF + 1
"""How many nodes a tail has. Shortfalls are good to 1e-7 of themselves, of which a test is the proof."""


def tail_weights() -> NDArray[np.float64]:
    """Return the weights of the nodes, float64[TAIL_NODES], which add up to 1.

    >>> len(tail_weights()), round(float(tail_weights().sum()), 12)
    (43, 1.0)
    """
    t = _STEP * np.arange(-_HALF, _HALF + 1)
    weights = np.cosh(t) / np.cosh(0.5 * math.pi * np.sinh(t)) ** 2
    weights /= weights.sum()
    return np.asarray(weights)


def tail_nodes(level: float, degrees_of_freedom: float, skew: float) -> NDArray[np.float64]:
    """Return residuals in the tail beyond a level such as 0.99, float64[TAIL_NODES], lowest first.

    >>> nodes = tail_nodes(0.99, math.inf, 0.0)
    >>> -round(float(nodes @ tail_weights()), 6)  # the expected shortfall of a standard normal
    2.665214
    """
    t = _STEP * np.arange(-_HALF, _HALF + 1)
    depths = (1.0 - level) / (1.0 + np.exp(-math.pi * np.sinh(t)))
    return np.array([standardised_quantile(depth, degrees_of_freedom, skew) for depth in depths.tolist()])


@njit(cache=True)
def quadrature_tail(
    quantile: float,
    nodes: NDArray[np.float64],
    weights: NDArray[np.float64],
    mean_percent: float,
    deviation_percent: float,
) -> tuple[float, float]:
    """Return (value at risk, expected shortfall) in percent of the price.

    `quantile` is the residual at the edge of the tail, `nodes` and `weights` float64[TAIL_NODES] those of the tail.

    >>> from risk.distributions.standardised_distribution import standardised_quantile
    >>> nodes, weights = tail_nodes(0.99, 5.0, -0.3), tail_weights()
    >>> tail = quadrature_tail(standardised_quantile(0.01, 5.0, -0.3), nodes, weights, 0.05, 1.2)
    >>> [round(one, 6) for one in tail]
    [3.580064, 4.833171]
    """
    shortfall = 0.0
    for at in range(len(nodes)):
        shortfall += weights[at] * loss_percent(mean_percent + deviation_percent * nodes[at])
    edge = loss_percent(mean_percent + deviation_percent * quantile)
    # Where all the tail is as good as one loss, a rounding must not put its mean below its edge.
    return edge, max(shortfall, edge)
