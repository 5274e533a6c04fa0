"""Scores rows by an ONNX model, each to the same bits whatever rows it is scored with.

A kernel may give a row other last bits in a batch of another size: ONNX Runtime's double Sigmoid, for one,
does the odd last element by a scalar routine that differs by 1 ulp from the vector routine. So the session
never sees the size of a batch. It only ever runs whole *runs* of 8, 16, 32, ... 1,024 rows, the last one
filled up with zero rows. That leaves eight shapes in which a row can be computed, few enough to compare them
all, at every position, when a model is opened: `Scorer.check_batch_invariance`.

The smallest run is 8 rows because that is the first size, here and on the kernels known, in which no row
falls into a scalar tail: it is a multiple of the vector width of every double (2 to 8) and baseline float (4)
routine.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

MIN_RUN_ROWS = 8
MAX_RUN_ROWS = 1024
RUN_ROWS = (8, 16, 32, 64, 128, 256, 512, 1024)
"""The only batch sizes that a model is ever run at."""

_INPUT = "features"
_OUTPUT = "score"
_TURNS = 8


class ModelError(ValueError):
    """An ONNX model that cannot serve as a scorer; the message says what is wrong and what is needed."""


class Scorer:
    """A probability of fraud for each row of normalised features.

    `onnx` is a serialised model with one input `features` (double, [rows, F]) and an output `score` (double,
    [rows]). It runs on the CPU in the calling thread and starts no threads. Raises ModelError for anything
    else.

    >>> Scorer(b"not a model")
    Traceback (most recent call last):
    ...
    risk.scorer.ModelError: not a model that ONNX Runtime can load...
    """

    def __init__(self, onnx: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session: Any = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises a dozen classes that share no base but this
            raise ModelError(f"not a model that ONNX Runtime can load: {error}") from error
        inputs = {one.name: one for one in self._session.get_inputs()}
        outputs = {one.name: one for one in self._session.get_outputs()}
        _require(set(inputs) == {_INPUT}, "inputs", sorted(inputs), f"export it with the one input {_INPUT!r}")
        _require(_OUTPUT in outputs, "outputs", sorted(outputs), f"export it with an output {_OUTPUT!r}")
        for one, rank in ((inputs[_INPUT], 2), (outputs[_OUTPUT], 1)):
            _require(one.type == "tensor(double)", f"{one.name} type", one.type, "export it as tensor(double)")
            _require(len(one.shape) == rank, f"{one.name} shape", one.shape, f"export it with {rank} dimension(s)")
        width = inputs[_INPUT].shape[1]
        _require(isinstance(width, int), "features shape", inputs[_INPUT].shape, "export it with a fixed width")
        self.feature_count: int = width

    def score(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the score of each row, float64[n] in [0, 1], for normalised features float64[n, F], n >= 0.

        A row's score has the same bits in any batch and at any position. Raises ValueError for another width,
        and FloatingPointError when the model gives NaN or leaves [0, 1]: a fault of the model or of what
        normalised its input, not of an event.
        """
        rows, width = features.shape
        if width != self.feature_count:
            raise ValueError(f"features have {width} columns, the model takes {self.feature_count}")
        features = np.ascontiguousarray(features, dtype=np.float64)
        scores = np.empty(rows)
        start = 0
        while start < rows:
            size = _run_rows(rows - start)
            stop = min(start + size, rows)
            scores[start:stop] = self._run(features[start:stop], size)[: stop - start]
            start = stop
        # min and max of NaN are NaN, which fails the comparison too.
        if rows and not (scores.min() >= 0.0 and scores.max() <= 1.0):
            worst = int(np.flatnonzero(~((scores >= 0.0) & (scores <= 1.0)))[0])
            raise FloatingPointError(
                f"score {scores[worst]} of row {worst} is not in [0, 1]; its features are {features[worst].tolist()}"
            )
        return scores

    def check_batch_invariance(self, features: npt.NDArray[np.float64]) -> None:
        """Raise ModelError unless a row has one score, bit for bit, in every run and at every position.

        `features` are normalised rows, float64[n, F], n >= 1. Runs of every size are tried with the rows
        shifted so that every position meets eight of them.
        """
        expected = self.score(features)
        count = len(features)
        for size in RUN_ROWS:
            for turn in range(_TURNS):
                rows = (np.arange(size) + turn * (count // _TURNS | 1)) % count
                scores = self._run(features[rows], size)
                differ = np.flatnonzero(scores != expected[rows])
                if len(differ):
                    at = int(differ[0])
                    raise ModelError(
                        f"row {rows[at]} scores {scores[at]!r} at position {at} of a run of {size} rows, but"
                        f" {expected[rows[at]]!r} in another: the kernels of this machine depend on the"
                        " batch; report this processor and ONNX Runtime version"
                    )

    def _run(self, features: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
        """Return the scores of a run of `size` rows, zero rows added behind the given ones."""
        if len(features) < size:
            filled = np.zeros((size, self.feature_count))
            filled[: len(features)] = features
            features = filled
        scores: npt.NDArray[np.float64] = self._session.run([_OUTPUT], {_INPUT: features})[0]
        return scores


def _run_rows(rows: int) -> int:
    """Return the size of the next run when `rows` rows are left.

    A run costs a fixed 6 us beside its rows, so a run may be filled up by a third rather than split further.

    >>> [_run_rows(rows) for rows in (1, 8, 9, 13, 700, 1000, 5000)]
    [8, 8, 8, 16, 512, 1024, 1024]
    """
    size = 1 << (rows - 1).bit_length()
    if 4 * rows <= 3 * size:
        size //= 2
    return min(max(size, MIN_RUN_ROWS), MAX_RUN_ROWS)


def _require(holds: bool, field: str, value: object, remedy: str) -> None:
    if not holds:
        raise ModelError(f"the model's {field} is {value}: {remedy}")
