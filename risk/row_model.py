"""Runs an ONNX model of rows, each to the same bits whatever rows it is run with.

A kernel may give a row other last bits in a batch of another size: ONNX Runtime's double Sigmoid, for one,
does the odd last element by a scalar routine that differs by 1 ulp from the vector routine. So the session
never sees the size of a batch. It only ever runs whole *runs* of 8, 16, 32, ... 1,024 rows, the last one
filled up with zero rows. That leaves eight shapes in which a row can be computed, few enough to compare them
all, at every position, when a model is opened: `RowModel.check_batch_invariance`.

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
_TURNS = 8


class ModelError(ValueError):
    """An ONNX model that cannot serve; the message says what is wrong and what is needed."""


class RowModel:
    """A model with one input `features` (double, [rows, width]) and an output (double, [rows] or [rows, *]).

    `onnx` is the serialised model; `output` names the output, which has `rank` dimensions. It runs on the CPU in the
    calling thread and starts no threads. Raises ModelError for anything else.
    """

    def __init__(self, onnx: bytes, *, output: str, rank: int) -> None:
        self._session = open_session(onnx)
        self._output = output
        inputs = {one.name: one for one in self._session.get_inputs()}
        outputs = {one.name: one for one in self._session.get_outputs()}
        _require(set(inputs) == {_INPUT}, "inputs", sorted(inputs), f"export it with the one input {_INPUT!r}")
        _require(output in outputs, "outputs", sorted(outputs), f"export it with an output {output!r}")
        for one, expected in ((inputs[_INPUT], 2), (outputs[output], rank)):
            _require(one.type == "tensor(double)", f"{one.name} type", one.type, "export it as tensor(double)")
            _require(
                len(one.shape) == expected, f"{one.name} shape", one.shape, f"export it with {expected} dimension(s)"
            )
        width = inputs[_INPUT].shape[1]
        _require(isinstance(width, int), "features shape", inputs[_INPUT].shape, "export it with a fixed width")
        self.width: int = width

    def run(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the output of each row, float64[n] or float64[n, *], for rows float64[n, width], n >= 1.

        A row's output has the same bits in any batch and at any position. Raises ValueError for another width.
        """
        rows, width = features.shape
        if width != self.width:
            raise ValueError(f"features have {width} columns, the model takes {self.width}")
        features = np.ascontiguousarray(features, dtype=np.float64)
        size = run_rows(rows)
        if size >= rows:
            return self._run(features, size)[:rows]
        parts = []
        start = 0
        while start < rows:
            size = run_rows(rows - start)
            stop = min(start + size, rows)
            parts.append(self._run(features[start:stop], size)[: stop - start])
            start = stop
        return np.concatenate(parts)

    def check_batch_invariance(self, features: npt.NDArray[np.float64]) -> None:
        """Raise ModelError unless a row has one output, bit for bit, in every run and at every position.

        `features` are rows, float64[n, width], n >= 1. Runs of every size are tried with the rows shifted so that
        every position meets eight of them.
        """
        expected = self.run(features)
        count = len(features)
        for size in RUN_ROWS:
            for turn in range(_TURNS):
                rows = (np.arange(size) + turn * (count // _TURNS | 1)) % count
                found = self._run(features[rows], size)
                differ = np.argwhere(found != expected[rows])
                if len(differ):
                    at = tuple(differ[0].tolist())
                    raise ModelError(
                        f"{self._output} of row {rows[at[0]]} is {found[at]!r} at position {at[0]} of a run of {size}"
                        f" rows, but {expected[rows][at]!r} in another: the kernels of this machine depend on the"
                        " batch; report this processor and ONNX Runtime version"
                    )

    def _run(self, features: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.float64]:
        """Return the outputs of a run of `size` rows, zero rows added behind the given ones."""
        if len(features) < size:
            filled = np.zeros((size, self.width))
            filled[: len(features)] = features
            features = filled
        found: npt.NDArray[np.float64] = self._session.run([self._output], {_INPUT: features})[0]
        return found


def open_session(onnx: bytes) -> Any:
    """Return a session of the serialised model on the CPU, in the calling thread; raises ModelError for anything else.

    >>> open_session(b"not a model")
    Traceback (most recent call last):
    ...
    risk.row_model.ModelError: not a model that ONNX Runtime can load...
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a dozen classes that share no base but this
        raise ModelError(f"not a model that ONNX Runtime can load: {error}") from error


def run_rows(rows: int) -> int:
    """Return the size of the next run when `rows` rows are left.

    A run costs a fixed 6 us beside its rows, so a run may be filled up by a third rather than split further.

    >>> [run_rows(rows) for rows in (1, 8, 9, 13, 700, 1000, 5000)]
    [8, 8, 8, 16, 512, 1024, 1024]
    """
    size = 1 << (rows - 1).bit_length()
    if 4 * rows <= 3 * size:
        size //= 2
    return min(max(size, MIN_RUN_ROWS), MAX_RUN_ROWS)


def _require(holds: bool, field: str, value: object, remedy: str) -> None:
    if not holds:
        raise ModelError(f"the model's {field} is {value}: {remedy}")
