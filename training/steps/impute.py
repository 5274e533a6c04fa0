"""Puts a value where one is missing, and may say in a further column that it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor
from training.steps.step import StepError, require_numbers, spread

By = Literal["mean", "median", "most_frequent", "constant"]


@dataclass(frozen=True, slots=True)
class Impute:
    """Replaces NaN in column i by `fill[0, i]`, NaN where none is replaced; `indicators` get a 0 or 1 each."""

    columns: tuple[TableColumn, ...]
    fill: npt.NDArray[np.float64]
    indicators: tuple[int, ...]

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes."""
        missing = graph.node("IsNaN", tensor)
        filled = graph.node("Where", missing, graph.constant(self.fill), tensor)
        if not self.indicators:
            return filled
        flags = graph.as_double(graph.columns(missing, list(self.indicators)))
        return graph.side_by_side(filled, flags)


def fit_impute(
    columns: Sequence[TableColumn],
    matrix: npt.NDArray[np.float64],
    chosen: Sequence[int],
    *,
    by: By,
    value: float | None,
    indicator: bool,
) -> Impute:
    """Return the imputation of the chosen columns by a statistic of rows float64[n, C], or by `value`.

    The most frequent of several equally frequent values is the least of them. With `indicator` each column that has
    a gap in these rows gets a column more. Raises StepError for a column without any value to learn from, for a mean
    or median of categories, and for a constant that is not given.
    """
    if (by == "constant") != (value is not None):
        raise StepError("value: is needed for by = 'constant', and for no other")
    if by in ("mean", "median"):
        require_numbers(columns, chosen, "impute them by 'most_frequent' or 'constant'")
    fill = np.empty(len(chosen))
    for at, place in enumerate(chosen):
        present = matrix[~np.isnan(matrix[:, place]), place]
        if by == "constant":
            assert value is not None
            fill[at] = value
        elif not len(present):
            raise StepError(f"column {columns[place].name!r}: has no value to learn from; drop it, or use a constant")
        elif by == "most_frequent":
            values, counts = np.unique(present, return_counts=True)
            fill[at] = values[np.argmax(counts)]
        else:
            fill[at] = np.mean(present) if by == "mean" else np.median(present)
    flagged = tuple(place for place in chosen if indicator and np.isnan(matrix[:, place]).any())
    return Impute(
        (*columns, *(TableColumn(f"{columns[place].name} is missing") for place in flagged)),
        spread(len(columns), chosen, fill, np.nan),
        flagged,
    )
