"""Ratios of columns: what is owed to what is earned, what is drawn to the limit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor
from training.steps.step import require_numbers


@dataclass(frozen=True, slots=True)
class Ratio:
    """Adds to the columns each of `numerators` divided by `denominator`, 0 where that is 0."""

    columns: tuple[TableColumn, ...]
    numerators: tuple[int, ...]
    denominator: int

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes."""
        below = graph.columns(tensor, [self.denominator])
        is_zero = graph.node("Equal", below, graph.constant(np.array(0.0)))
        divisor = graph.node("Where", is_zero, graph.constant(np.array(1.0)), below)
        quotient = graph.node("Div", graph.columns(tensor, list(self.numerators)), divisor)
        return graph.side_by_side(tensor, graph.node("Where", is_zero, graph.constant(np.array(0.0)), quotient))


def fit_ratio(columns: Sequence[TableColumn], numerators: Sequence[int], denominator: int) -> Ratio:
    """Return the ratios of the numerators to one denominator, called "a / b"; raises StepError for categories."""
    require_numbers(columns, [*numerators, denominator], "divide numbers")
    below = columns[denominator].name
    made = (TableColumn(f"{columns[place].name} / {below}") for place in numerators)
    return Ratio((*columns, *made), tuple(numerators), denominator)
