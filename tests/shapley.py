"""Shapley values by their definition, over all coalitions: slow and obvious, an oracle for explainers."""

from collections.abc import Callable
from itertools import combinations
from math import factorial

import numpy as np
import numpy.typing as npt


def shapley_values(
    value: Callable[[npt.NDArray[np.float64]], float],
    row: npt.NDArray[np.float64],
    reference: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the Shapley values float64[F] of the features of `row` beside `reference` (Shapley 1953)."""
    width = len(row)
    found = np.zeros(width)
    for feature in range(width):
        others = [one for one in range(width) if one != feature]
        for size in range(width):
            share = factorial(size) * factorial(width - size - 1) / factorial(width)
            for coalition in combinations(others, size):
                mixed = reference.copy()
                mixed[list(coalition)] = row[list(coalition)]
                without = value(mixed)
                mixed[feature] = row[feature]
                found[feature] += share * (value(mixed) - without)
    return found
