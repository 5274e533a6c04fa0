"""Puts numbers on one scale: z-score, min-max or robust."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor
from training.steps.step import StepError, require_numbers, spread

By = Literal["zscore", "minmax", "robust"]


@dataclass(frozen=True, slots=True)
class Scale:
    """Makes (x - centre) / width of each column; both float64[1, C], 0 and 1 for a column that is left alone."""

    columns: tuple[TableColumn, ...]
    centre: npt.NDArray[np.float64]
    width: npt.NDArray[np.float64]

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes."""
        return graph.node("Div", graph.node("Sub", tensor, graph.constant(self.centre)), graph.constant(self.width))


def fit_scale(
    columns: Sequence[TableColumn], matrix: npt.NDArray[np.float64], chosen: Sequence[int], *, by: By
) -> Scale:
    """Return the scaling of the chosen columns by statistics of rows float64[n, C], leaving out what is missing.

    "zscore" has the mean and the population standard deviation, "minmax" the least value and the range, "robust" the
    median and the interquartile range. A column without spread is only centred. Raises StepError for categories, and
    for a column without any value.
    """
    require_numbers(columns, chosen, "encode them first")
    centre, width = np.empty(len(chosen)), np.empty(len(chosen))
    for at, place in enumerate(chosen):
        present = matrix[~np.isnan(matrix[:, place]), place]
        if not len(present):
            raise StepError(f"column {columns[place].name!r}: has no value to learn from; drop it")
        match by:
            case "zscore":
                centre[at], width[at] = present.mean(), present.std()
            case "minmax":
                centre[at], width[at] = present.min(), np.ptp(present)
            case "robust":
                first, centre[at], third = np.quantile(present, [0.25, 0.5, 0.75])
                width[at] = third - first
    width[width == 0.0] = 1.0
    count = len(columns)
    return Scale(tuple(columns), spread(count, chosen, centre, 0.0), spread(count, chosen, width, 1.0))
