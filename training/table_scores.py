"""The scores of a table's encoded rows, as they are served."""

import numpy as np
import numpy.typing as npt

from risk.scorer import Scorer
from training.table_data import DataError
from training.table_fit import FittedTable


def served_scores(model: bytes, fitted: FittedTable, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the scores as served; raises DataError where a worker would refuse the row."""
    for column, required, values in zip(fitted.columns, fitted.required, matrix.T, strict=True):
        if required and np.isnan(values).any():
            raise DataError(
                f"column {column.name!r}: has gaps in the test rows and none in training; impute it by a step"
            )
    return Scorer(model).score(matrix)
