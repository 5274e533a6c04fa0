"""The two ends of a forecaster's graph: its inputs, bounded, and its outputs; see `risk.forecasts.forecast_model`."""

import numpy as np
from numpy.typing import NDArray

from risk.forecasts.forecast_model import DEVIATION, FORECAST, NEXT_STATE, STATE, VALUE
from training.graph import Graph, Tensor

BOUND_DEVIATIONS = 20.0
"""A value counts for at most so many standard deviations from its centre.

In a century of daily returns of the S&P 500 the greatest was one of 20 deviations. A wrong price thus moves a forecast
by a bounded amount, and no value makes an infinity.
"""


def bounded_value(graph: Graph, centre: float, deviation: float) -> Tensor:
    """Return the graph's value [rows, 1], cut at BOUND_DEVIATIONS deviations from its centre."""
    low, high = bounds(centre, deviation)
    return graph.node("Clip", VALUE, graph.constant(np.array(low)), graph.constant(np.array(high)))


def bounds(centre: float, deviation: float) -> tuple[float, float]:
    """Return the least and the greatest value that a graph takes as it is.

    >>> bounds(1.0, 0.5)
    (-9.0, 11.0)
    """
    return centre - BOUND_DEVIATIONS * deviation, centre + BOUND_DEVIATIONS * deviation


def shifted_window(graph: Graph, window: Tensor, width: int, newest: Tensor) -> Tensor:
    """Return a window [rows, width] of values, the oldest first, without its oldest and with the newest [rows, 1]."""
    if width == 1:
        return newest
    return graph.side_by_side(graph.columns(window, list(range(1, width))), newest)


def forecaster_bytes(
    graph: Graph, next_state: Tensor, forecast: Tensor, deviation: NDArray[np.float64], state_size: int
) -> bytes:
    """Return the model's bytes, with deviations float64[H] that are the same in every row."""
    horizon_bars = len(deviation)
    # A constant has one row: adding it to zeros gives it as many as the forecast.
    zeros = graph.node("Mul", forecast, graph.constant(np.array(0.0)))
    rows = graph.node("Add", zeros, graph.constant(deviation[None, :]))
    return graph.serialise_recursion(
        "forecaster",
        {STATE: state_size, VALUE: 1},
        {NEXT_STATE: (next_state, state_size), FORECAST: (forecast, horizon_bars), DEVIATION: (rows, horizon_bars)},
    )
