"""Products of columns up to a degree."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor
from training.steps.step import require_numbers


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Adds to the columns the product of columns `factors[i]` for each i."""

    columns: tuple[TableColumn, ...]
    factors: tuple[tuple[int, ...], ...]

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes: columns are gathered once a factor, and multiplied from the left."""
        made = [tensor]
        for degree in sorted({len(one) for one in self.factors}):
            terms = [one for one in self.factors if len(one) == degree]
            product = graph.columns(tensor, [one[0] for one in terms])
            for at in range(1, degree):
                product = graph.node("Mul", product, graph.columns(tensor, [one[at] for one in terms]))
            made.append(product)
        return graph.side_by_side(*made)


def fit_polynomial(
    columns: Sequence[TableColumn], chosen: Sequence[int], *, degree: int, interactions_only: bool
) -> Polynomial:
    """Return all products of 2 to `degree` of the chosen columns, without powers if `interactions_only`.

    Raises StepError for categories.
    """
    require_numbers(columns, chosen, "encode them first")
    factors = tuple(
        one
        for size in range(2, degree + 1)
        for one in combinations_with_replacement(chosen, size)
        if not interactions_only or len(set(one)) == size
    )
    made = (TableColumn(" * ".join(columns[place].name for place in one)) for one in factors)
    return Polynomial((*columns, *made), factors)
