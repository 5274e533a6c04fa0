"""A distribution as equally likely outcomes: Monte Carlo draws from them as historical simulation from history."""

import numpy as np
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import standardised_shortfall


def equal_cells(cells: int, degrees_of_freedom: float, skew: float) -> NDArray[np.float64]:
    """Return the mean of a standardised distribution in each of equally likely cells, float64[cells], lowest first.

    Means of cells, unlike their middles, keep the mean of the whole and the expected shortfall at every edge.

    >>> import math
    >>> equal_cells(4, math.inf, 0.0).round(6).tolist()
    [-1.271106, -0.324663, 0.324663, 1.271106]
    """
    edges = np.arange(1, cells) / cells
    below = [-edge * standardised_shortfall(edge, degrees_of_freedom, skew) for edge in edges.tolist()]
    return cells * np.diff(np.array([0.0, *below, 0.0]))
