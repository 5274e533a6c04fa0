"""Projects columns on fewer directions: principal components, or Fisher's linear discriminant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor
from training.steps.step import StepError, require_numbers

By = Literal["pca", "lda"]


@dataclass(frozen=True, slots=True)
class Project:
    """Replaces the columns `source` by (them - centre) times `directions`, float64[S, K]; centre is float64[1, S]."""

    columns: tuple[TableColumn, ...]
    kept: tuple[int, ...]
    source: tuple[int, ...]
    centre: npt.NDArray[np.float64]
    directions: npt.NDArray[np.float64]

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes."""
        centred = graph.node("Sub", graph.columns(tensor, list(self.source)), graph.constant(self.centre))
        projected = graph.node("MatMul", centred, graph.constant(self.directions))
        return graph.side_by_side(graph.columns(tensor, list(self.kept)), projected) if self.kept else projected


def fit_project(
    columns: Sequence[TableColumn],
    matrix: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    chosen: Sequence[int],
    *,
    by: By,
    components: float | None,
) -> Project:
    """Return the projection of the chosen columns, fitted to rows float64[n, C].

    `components` of "pca" is their number from 1, or the fraction of variance below 1 that they are to keep; "lda",
    which looks at `target` bool[n], has one. Raises StepError for categories, missing values and a wrong number.
    """
    require_numbers(columns, chosen, "encode them first")
    values = matrix[:, list(chosen)]
    gaps = np.flatnonzero(np.isnan(values).any(axis=0))
    if len(gaps):
        raise StepError(f"column {columns[chosen[gaps[0]]].name!r}: has missing values; impute them first")
    if by == "pca":
        if components is None or not (0.0 < components < 1.0 or 1 <= components <= len(chosen)):
            raise StepError(f"components: is {components}; give 1 to {len(chosen)}, or a fraction of variance below 1")
        pca = PCA(components if components < 1.0 else int(components), svd_solver="full").fit(values)
        centre, directions = pca.mean_, pca.components_.T
    else:
        if components is not None:
            raise StepError("components: two classes have one discriminant; leave it out")
        lda = LinearDiscriminantAnalysis(solver="svd").fit(values, target)
        centre, directions = lda.xbar_, lda.scalings_[:, :1]
    kept = [place for place in range(len(columns)) if place not in set(chosen)]
    made = (TableColumn(f"{by} {at + 1}") for at in range(directions.shape[1]))
    return Project(
        (*(columns[place] for place in kept), *made),
        tuple(kept),
        tuple(chosen),
        np.asarray(centre, dtype=np.float64)[None, :],
        np.ascontiguousarray(directions, dtype=np.float64),
    )
