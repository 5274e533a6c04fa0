"""Takes a number that is infinite, or beyond any measure, for the greatest one that every model can compute with."""

from dataclasses import dataclass

import numpy as np

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor

BOUND = 1e12
"""In float32, in which trees and the network compute, its products with ordinary weights are still finite."""


@dataclass(frozen=True, slots=True)
class Bound:
    """Cuts every number off at plus and minus BOUND; what is missing stays so."""

    columns: tuple[TableColumn, ...]

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes."""
        least = graph.node("Max", tensor, graph.constant(np.array(-BOUND)))
        return graph.node("Min", least, graph.constant(np.array(BOUND)))
