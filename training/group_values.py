"""The groups of a column: its values as they are, or quarters of its numbers."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

MOST_VALUES = 20
"""Numbers of more different values than this become quarters."""


def quarters(numbers: npt.NDArray[np.float64]) -> list[str | None]:
    """Return the quarter that each number lies in, by its bounds; None where it is NaN.

    >>> quarters(np.array([1.0, 2.0, 3.0, 4.0, np.nan]))
    ['up to 1.75', 'above 1.75 up to 2.5', 'above 2.5 up to 3.25', 'above 3.25', None]
    """
    edges = np.unique(np.nanquantile(numbers, [0.25, 0.5, 0.75]))
    shown = [f"{edge:.6g}" for edge in edges]
    labels = [
        f"up to {shown[0]}",
        *(f"above {low} up to {high}" for low, high in pairwise(shown)),
        f"above {shown[-1]}",
    ]
    of_row = np.searchsorted(edges, numbers, side="left")
    return [
        None if np.isnan(value) else labels[at] for value, at in zip(numbers.tolist(), of_row.tolist(), strict=True)
    ]


def group_values(values: npt.NDArray[np.float64] | list[str | None]) -> list[str | None]:
    """Return the group of each row of a table's column: a text or number itself, or the quarter of many numbers.

    >>> group_values(np.array([2.0, np.nan, 1.5]))
    ['2', None, '1.5']
    """
    if not isinstance(values, np.ndarray):
        return values
    if len(np.unique(values[~np.isnan(values)])) > MOST_VALUES:
        return quarters(values)
    return [None if np.isnan(value) else f"{value:.12g}" for value in values.tolist()]
