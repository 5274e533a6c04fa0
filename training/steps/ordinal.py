"""Ordinal encoding: categories that have an order become its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor
from training.steps.step import StepError


@dataclass(frozen=True, slots=True)
class Ordinal:
    """Replaces the code in column `place` by `number[code]`, float64[K]; an unknown one is missing, NaN."""

    columns: tuple[TableColumn, ...]
    place: int
    number: npt.NDArray[np.float64]

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes: the sum over categories of number times whether the code is that one."""
        column = graph.columns(tensor, [self.place])
        known = graph.as_double(
            graph.node("Equal", column, graph.constant(np.arange(len(self.number), dtype=np.float64)[None, :]))
        )
        number = graph.node("MatMul", known, graph.constant(self.number[:, None]))
        is_known = graph.node("GreaterOrEqual", column, graph.constant(np.array(0.0)))
        encoded = graph.node("Where", is_known, number, graph.constant(np.array(np.nan)))
        parts = [encoded]
        if self.place > 0:
            parts.insert(0, graph.columns(tensor, list(range(self.place))))
        if self.place < len(self.columns) - 1:
            parts.append(graph.columns(tensor, list(range(self.place + 1, len(self.columns)))))
        return graph.side_by_side(*parts)


def fit_ordinal(columns: Sequence[TableColumn], place: int, *, order: Sequence[str]) -> Ordinal:
    """Return the encoding of one column by the place of each category in `order`, from 0.

    Raises StepError for a column of numbers, and for categories that are not in the order, or in it twice.
    """
    column = columns[place]
    if column.categories is None:
        raise StepError(f"column {column.name!r}: holds numbers, which have an order; leave it out")
    left_out = [name for name in column.categories if order.count(name) != 1]
    if left_out:
        raise StepError(f"order: has {left_out[0]!r} {order.count(left_out[0])} times; give each category once")
    number = np.array([float(order.index(name)) for name in column.categories])
    made = tuple(TableColumn(one.name) if at == place else one for at, one in enumerate(columns))
    return Ordinal(made, place, number)
