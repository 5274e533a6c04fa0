"""Scores rows by an ONNX model, each to the same bits whatever rows it is scored with."""

import numpy as np
import numpy.typing as npt
from numba import njit

from risk.row_model import RowModel


@njit(cache=True)
def _first_outside(scores: npt.NDArray[np.float64]) -> int:
    """Return the row of the first score that is not in [0, 1], or is NaN; -1 for none."""
    for row in range(scores.shape[0]):
        if not 0.0 <= scores[row] <= 1.0:
            return row
    return -1


class Scorer:
    """A probability of fraud for each row of normalised features.

    `onnx` is a serialised model with one input `features` (double, [rows, F]) and an output `score` (double,
    [rows]). It runs on the CPU in the calling thread and starts no threads. Raises ModelError for anything
    else.

    >>> Scorer(b"not a model")
    Traceback (most recent call last):
    ...
    risk.row_model.ModelError: not a model that ONNX Runtime can load...
    """

    def __init__(self, onnx: bytes) -> None:
        self._model = RowModel(onnx, output="score", rank=1)
        self.feature_count: int = self._model.width

    def score(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the score of each row, float64[n] in [0, 1], for normalised features float64[n, F], n >= 0.

        A row's score has the same bits in any batch and at any position. Raises ValueError for another width,
        and FloatingPointError when the model gives NaN or leaves [0, 1]: a fault of the model or of what
        normalised its input, not of an event.
        """
        if not len(features):
            return np.empty(0)
        scores = self._model.run(features)
        worst = _first_outside(scores)
        if worst >= 0:
            raise FloatingPointError(
                f"score {scores[worst]} of row {worst} is not in [0, 1]; its features are {features[worst].tolist()}"
            )
        return scores

    def check_batch_invariance(self, features: npt.NDArray[np.float64]) -> None:
        """Raise ModelError unless a row has one score, bit for bit, in every run and at every position.

        `features` are normalised rows, float64[n, F], n >= 1; see `RowModel.check_batch_invariance`.
        """
        self._model.check_batch_invariance(features)
