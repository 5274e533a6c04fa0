"""A fitted step of preparation: columns in, columns out, as nodes of an ONNX graph.

The graph is the only form in which a step computes: training runs the same nodes that leave in the bundle, so that
features cannot differ between the two.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from risk.row_model import MAX_RUN_ROWS
from risk.table_columns import TableColumn
from training.graph import FEATURES, Graph, Tensor


class StepError(ValueError):
    """A step that cannot be fitted to these columns; the message names the column and the remedy."""


class Step(Protocol):
    """A fitted step."""

    @property
    def columns(self) -> tuple[TableColumn, ...]:
        """The columns after the step."""

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the step's nodes and return the tensor, double [rows, columns after]."""


def run_step(step: Step, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return what a step makes of rows float64[n, columns before], by its graph: float64[n, columns after].

    Runs have the greatest size of the scorer, the last one filled up, so that a matrix product rounds alike.
    """
    graph = Graph()
    model = graph.serialise({"prepared": step.add(graph, FEATURES)}, width=matrix.shape[1], matrices=("prepared",))
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    filled = np.zeros((-(-len(matrix) // MAX_RUN_ROWS) * MAX_RUN_ROWS, matrix.shape[1]))
    filled[: len(matrix)] = matrix
    parts = [
        session.run(["prepared"], {FEATURES: filled[first : first + MAX_RUN_ROWS]})[0]
        for first in range(0, len(filled), MAX_RUN_ROWS)
    ]
    return np.asarray(np.concatenate(parts)[: len(matrix)], dtype=np.float64)


def run_steps(steps: Sequence[Step], matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return what steps make of rows, one after the other."""
    for step in steps:
        matrix = run_step(step, matrix)
    return matrix


def places(columns: Sequence[TableColumn], names: Sequence[str]) -> list[int]:
    """Return where the named columns are; raises StepError for a name that is not there."""
    at = {column.name: place for place, column in enumerate(columns)}
    for name in names:
        if name not in at:
            raise StepError(f"column {name!r}: is not there; the columns are {', '.join(at)}")
    return [at[name] for name in names]


def require_numbers(columns: Sequence[TableColumn], chosen: Sequence[int], remedy: str) -> None:
    """Raise StepError, with the remedy, when a chosen column holds categories."""
    for place in chosen:
        if columns[place].categories is not None:
            raise StepError(f"column {columns[place].name!r}: holds categories; {remedy}")


def spread(width: int, chosen: Sequence[int], values: npt.NDArray[np.float64], other: float) -> npt.NDArray[np.float64]:
    """Return float64[1, width] with the values at the chosen places and `other` elsewhere.

    >>> spread(3, [1], np.array([5.0]), 0.0).tolist()
    [[0.0, 5.0, 0.0]]
    """
    row = np.full((1, width), other)
    row[0, list(chosen)] = values
    return row
