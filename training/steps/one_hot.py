"""One-hot encoding: a column of categories becomes a column of 0 and 1 for each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor
from training.steps.step import StepError


@dataclass(frozen=True, slots=True)
class OneHot:
    """Keeps the columns `kept`, and adds for `source[i]` a 1 where it holds the code `code[i]`, both of length M."""

    columns: tuple[TableColumn, ...]
    kept: tuple[int, ...]
    source: tuple[int, ...]
    code: npt.NDArray[np.float64]

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes; codes are compared as numbers, so that nothing is cut to a whole one."""
        sources = graph.columns(tensor, list(self.source))
        flags = graph.as_double(graph.node("Equal", sources, graph.constant(self.code[None, :])))
        return graph.side_by_side(graph.columns(tensor, list(self.kept)), flags) if self.kept else flags


def fit_one_hot(
    columns: Sequence[TableColumn], matrix: npt.NDArray[np.float64], chosen: Sequence[int], *, drop_first: bool
) -> OneHot:
    """Return the encoding of the chosen columns; a category that is unknown or missing is 0 in all its columns.

    Categories that do not occur in these rows get no column. `drop_first` leaves out the first category that does, as
    a linear model without a penalty needs. Raises StepError for a column of numbers.
    """
    kept = [place for place in range(len(columns)) if place not in set(chosen)]
    made, source, code = [], [], []
    for place in chosen:
        column = columns[place]
        if column.categories is None:
            raise StepError(f"column {column.name!r}: holds numbers; name it in data.categorical to encode it")
        occur = [at for at in range(len(column.categories)) if (matrix[:, place] == at).any()]
        for at in occur[1:] if drop_first else occur:
            made.append(TableColumn(f"{column.name}={column.categories[at]}"))
            source.append(place)
            code.append(float(at))
    return OneHot((*(columns[place] for place in kept), *made), tuple(kept), tuple(source), np.array(code))
