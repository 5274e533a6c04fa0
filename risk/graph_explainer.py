"""Explains by an ONNX graph that was made beside the model's own."""

import numpy as np
import numpy.typing as npt

from risk.row_model import ModelError, RowModel


class GraphExplainer:
    """Explains the scores of a linear model or a network; see `risk.explainer.Explainer`.

    `onnx` is a serialised model with one input `features` (double, [rows, 2F]: normalised features, then the usual
    ones) and an output `contributions` (double, [rows, F]). Raises ModelError for anything else.
    """

    def __init__(self, onnx: bytes) -> None:
        self._model = RowModel(onnx, output="contributions", rank=2)
        if self._model.width % 2:
            raise ModelError(f"the model's features are {self._model.width}: export it with twice the features")

    @property
    def feature_count(self) -> int:
        """Number of features, F."""
        return self._model.width // 2

    def contributions(
        self, normalised: npt.NDArray[np.float64], usual: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Return float64[n, F] for rows float64[n, F], in units of the score."""
        if not len(normalised):
            return np.empty(normalised.shape)
        return self._model.run(np.concatenate((normalised, usual), axis=1))

    def check_batch_invariance(self, normalised: npt.NDArray[np.float64], usual: npt.NDArray[np.float64]) -> None:
        """Raise ModelError unless a row's contributions are the same, bit for bit, in any batch; n >= 1 rows."""
        self._model.check_batch_invariance(np.concatenate((normalised, usual), axis=1))
