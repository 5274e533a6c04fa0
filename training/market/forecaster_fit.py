"""A forecaster that was fitted: its graph, its state, and the Python original that the graph must equal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from risk.forecasts.forecast_model import ForecastModel
from risk.forecasts.forecaster import ForecasterKind

Original = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From values float64[n, T], n series from the neutral state on, to the forecasts after each, float64[n, T, H]."""


class ForecastFitError(ValueError):
    """No forecaster could be fitted; the message says of what, why, and what to do."""


@dataclass(frozen=True, slots=True)
class FittedForecaster:
    """A forecaster of one key, or of all.

    `onnx` is the graph, `neutral` float64[S] its state before the first value and `start` float64[S] that after the
    last value of the fit. `original` gives the graph's forecasts by the library that fitted it, but for the first
    `warm_up` values.
    """

    kind: ForecasterKind
    description: str
    value: Literal["change", "level"]
    onnx: bytes
    neutral: NDArray[np.float64]
    start: NDArray[np.float64]
    original: Original
    warm_up: int = 0


def replay(
    model: ForecastModel, state: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Run a graph from states float64[n, S] through values float64[n, T], as the stream does.

    Returns the last states, the forecasts after each value and their deviations, float64[n, T, H] both.
    """
    count, length = values.shape
    forecasts = np.empty((count, length, model.horizon_bars))
    deviations = np.empty_like(forecasts)
    for at in range(length):
        state, forecasts[:, at], deviations[:, at] = model.run(state, values[:, at : at + 1])
    return state, forecasts, deviations


def state_after(onnx: bytes, neutral: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the state float64[S] after values float64[T] that followed the neutral one."""
    state, _, _ = replay(ForecastModel(onnx), neutral[None, :], values[None, :])
    last: NDArray[np.float64] = state[0]
    return last


def future_changes(changes: NDArray[np.float64], horizon_bars: int) -> NDArray[np.float64]:
    """Return the change over the next 1 ... H bars after each of n - H bars, float64[n - H, H].

    >>> future_changes(np.array([1.0, 2.0, 4.0, 8.0]), 2).tolist()
    [[2.0, 6.0], [4.0, 12.0]]
    """
    total = np.concatenate([[0.0], np.cumsum(changes)])
    count = max(len(changes) - horizon_bars, 0)
    ahead = [total[1 + step : 1 + step + count] for step in range(1, horizon_bars + 1)]
    return np.asarray(np.stack(ahead, axis=1) - total[1 : 1 + count, None])
