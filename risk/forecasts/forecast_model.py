"""Runs a forecaster's ONNX graph: its state and the newest value in, its state and the forecasts out.

Every graph has one form, doubles throughout. In: `state` [rows, S] and `value` [rows, 1]. Out: `next_state`
[rows, S], `forecast` [rows, H] and `deviation` [rows, H]. Column h of `forecast` is the change from now that is
expected over the next h + 1 bars, in the units of the value; `deviation` is the standard deviation of its error.

As in `risk.row_model`, the session only ever runs whole runs of fixed sizes, so that a row has the same bits in any
batch.
"""

import numpy as np
from numpy.typing import NDArray

from risk.row_model import MAX_RUN_ROWS, RUN_ROWS, ModelError, open_session, run_rows

STATE, VALUE = "state", "value"
NEXT_STATE, FORECAST, DEVIATION = "next_state", "forecast", "deviation"

_TURNS = 8

Advanced = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""The next state [n, S], the forecasts [n, H] and their deviations [n, H]."""


class ForecastModel:
    """A forecaster's graph, opened; `state_size` is S and `horizon_bars` is H.

    Raises ModelError for a graph of another form.

    >>> ForecastModel(b"not a model")
    Traceback (most recent call last):
    ...
    risk.row_model.ModelError: not a model that ONNX Runtime can load...
    """

    def __init__(self, onnx: bytes) -> None:
        self._session = open_session(onnx)
        found = [*self._session.get_inputs(), *self._session.get_outputs()]
        names = [one.name for one in found]
        if names != [STATE, VALUE, NEXT_STATE, FORECAST, DEVIATION]:
            raise ModelError(
                f"the graph's inputs and outputs are {names}: export it with the inputs {STATE}, {VALUE} and the"
                f" outputs {NEXT_STATE}, {FORECAST}, {DEVIATION}"
            )
        for one in found:
            if one.type != "tensor(double)" or len(one.shape) != 2 or not isinstance(one.shape[1], int):
                raise ModelError(f"{one.name} is {one.type} {one.shape}: export it as double [rows, a fixed width]")
        widths = [one.shape[1] for one in found]
        self.state_size: int = widths[0]
        self.horizon_bars: int = widths[3]
        if widths != [self.state_size, 1, self.state_size, self.horizon_bars, self.horizon_bars]:
            raise ModelError(f"the widths of {names} are {widths}: export them as S, 1, S, H, H")

    def run(self, state: NDArray[np.float64], value: NDArray[np.float64]) -> Advanced:
        """Return what rows of state float64[n, S] and value float64[n, 1] give, n >= 1.

        A row gives the same bits in any batch and at any position. Raises ValueError for other widths, and
        FloatingPointError where the graph gives no finite number: a fault of the graph, not of a value.
        """
        if state.shape != (len(value), self.state_size) or value.shape[1:] != (1,):
            raise ValueError(f"state is {state.shape} and value {value.shape}: give [n, {self.state_size}] and [n, 1]")
        parts = []
        start = 0
        while start < len(value):
            size = run_rows(len(value) - start)
            stop = min(start + size, len(value))
            parts.append(self._run(state[start:stop], value[start:stop], size))
            start = stop
        advanced = parts[0] if len(parts) == 1 else _joined(parts)
        for name, found in zip((NEXT_STATE, FORECAST, DEVIATION), advanced, strict=True):
            if not np.isfinite(found).all():
                worst = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
                raise FloatingPointError(
                    f"{name} of row {worst} is {found[worst].tolist()}, for the value {value[worst, 0]}: "
                    "the graph lacks a bound on its input; export it anew"
                )
        return advanced

    def check_batch_invariance(self, state: NDArray[np.float64], value: NDArray[np.float64]) -> None:
        """Raise ModelError unless a row gives the same bits in every run and at every position.

        Rows are as for `run`; runs of every size are tried, the rows shifted so that positions meet several of them.
        """
        expected = self.run(state, value)
        for size in RUN_ROWS:
            for turn in range(_TURNS):
                rows = (np.arange(size) + turn * (len(value) // _TURNS | 1)) % len(value)
                for name, ours, theirs in zip(
                    (NEXT_STATE, FORECAST, DEVIATION), self._run(state[rows], value[rows], size), expected, strict=True
                ):
                    if ours.tobytes() != theirs[rows].tobytes():
                        raise ModelError(
                            f"{name} has other bits in a run of {size} rows than in one of {MAX_RUN_ROWS} or fewer: "
                            "the kernels of this machine depend on the batch; report this processor and ONNX Runtime"
                            " version"
                        )

    def _run(self, state: NDArray[np.float64], value: NDArray[np.float64], size: int) -> Advanced:
        """Return what a run of `size` rows gives, zero rows added behind the given ones and cut off again."""
        count = len(value)
        if count < size:
            filled_state, filled_value = np.zeros((size, self.state_size)), np.zeros((size, 1))
            filled_state[:count], filled_value[:count] = state, value
            state, value = filled_state, filled_value
        found = self._session.run(
            [NEXT_STATE, FORECAST, DEVIATION],
            {STATE: np.ascontiguousarray(state), VALUE: np.ascontiguousarray(value)},
        )
        return found[0][:count], found[1][:count], found[2][:count]


def _joined(parts: list[Advanced]) -> Advanced:
    next_state, forecast, deviation = zip(*parts, strict=True)
    return np.concatenate(next_state), np.concatenate(forecast), np.concatenate(deviation)
