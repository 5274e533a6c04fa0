"""Limits beyond which a value is an outlier, and the two things to do about one: pull it in, or leave its row out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor
from training.steps.step import require_numbers, spread

By = Literal["quantile", "iqr", "zscore"]
DEFAULT_FACTOR = {"quantile": 0.01, "iqr": 1.5, "zscore": 3.0}


@dataclass(frozen=True, slots=True)
class Winsorise:
    """Pulls values in to `low` and `high`, float64[1, C], infinite where a column has no limits."""

    columns: tuple[TableColumn, ...]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes: Clip takes no bounds by column."""
        least = graph.node("Max", tensor, graph.constant(self.low))
        return graph.node("Min", least, graph.constant(self.high))


def outlier_limits(
    matrix: npt.NDArray[np.float64], *, by: By, factor: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the least and the greatest ordinary value of each column of rows float64[n, C], float64[C] each.

    By "quantile" they are the quantiles `factor` and `1 - factor`; by "iqr" they lie `factor` interquartile ranges
    beyond the quartiles (Tukey 1977, "Exploratory data analysis"); by "zscore", `factor` standard deviations about the
    mean. What is missing is left out; a column without values has none beyond its limits.

    >>> outlier_limits(np.array([[0.0], [1.0], [2.0], [3.0], [4.0]]), by="iqr", factor=1.5)
    (array([-2.]), array([6.]))
    """
    limits = np.full((2, matrix.shape[1]), [[-np.inf], [np.inf]])
    for at, column in enumerate(matrix.T):
        present = column[~np.isnan(column)]
        if not len(present):
            continue
        if by == "quantile":
            limits[:, at] = np.quantile(present, [factor, 1.0 - factor])
        elif by == "iqr":
            first, third = np.quantile(present, [0.25, 0.75])
            limits[:, at] = first - factor * (third - first), third + factor * (third - first)
        else:
            limits[:, at] = present.mean() - factor * present.std(), present.mean() + factor * present.std()
    return limits[0], limits[1]


def fit_winsorise(
    columns: Sequence[TableColumn], matrix: npt.NDArray[np.float64], chosen: Sequence[int], *, by: By, factor: float
) -> Winsorise:
    """Return what pulls the chosen columns in to their limits; raises StepError for categories."""
    require_numbers(columns, chosen, "winsorise numbers")
    low, high = outlier_limits(matrix[:, list(chosen)], by=by, factor=factor)
    width = len(columns)
    return Winsorise(tuple(columns), spread(width, chosen, low, -np.inf), spread(width, chosen, high, np.inf))


def ordinary_rows(
    columns: Sequence[TableColumn], matrix: npt.NDArray[np.float64], chosen: Sequence[int], *, by: By, factor: float
) -> npt.NDArray[np.bool_]:
    """Return which rows have no outlier in the chosen columns, bool[n]; raises StepError for categories."""
    require_numbers(columns, chosen, "look for outliers among numbers")
    values = matrix[:, list(chosen)]
    low, high = outlier_limits(values, by=by, factor=factor)
    return np.asarray(~((values < low) | (values > high)).any(axis=1))
