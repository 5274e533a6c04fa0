"""Fits a gated recurrent unit by Keras and exports one step of it in double: its hidden state in and out.

Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation", EMNLP 2014,
in the form of Keras with `reset_after`: the reset gate acts behind the recurrent product.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.forecasts.forecast_model import STATE
from training.graph import Graph, Tensor
from training.market.forecast_graph import bounded_value, bounds, forecaster_bytes
from training.market.forecaster_fit import FittedForecaster, state_after
from training.market.lag_regression import Segments
from training.market.network_training import SEQUENCE_BARS, fit_network, forecasts_by_keras

UNITS = 8
EPOCHS = 15
WARM_UP_BARS = 16
"""Bars of a sequence in which the state is still that of a beginning, which count for nothing in the fit."""


def fit_gated_recurrent(segments: Segments, *, seed: int, epochs: int = EPOCHS) -> FittedForecaster:
    """Return a network of UNITS gated recurrent units, fitted to all segments, its start after the last.

    Changes are expected to have deviations around 1. Raises ForecastFitError where there are too few, ImportError where
    TensorFlow is absent.
    """
    deviation = float(np.std(np.concatenate([changes for changes, _ in segments])))

    def layers(keras: Any) -> list[Any]:
        return [keras.layers.GRU(UNITS, return_sequences=True, dtype="float64", name="gru")]

    network, deviations = fit_network(layers, segments, seed=seed, epochs=epochs, warm_up=WARM_UP_BARS)
    onnx = _export([np.asarray(one, dtype=np.float64) for one in network.get_weights()], deviations, deviation)
    neutral, bound = np.zeros(UNITS), bounds(0.0, deviation)
    return FittedForecaster(
        kind="gru",
        description=f"gated recurrent unit of {UNITS}",
        value="change",
        onnx=onnx,
        neutral=neutral,
        start=state_after(onnx, neutral, segments[-1][0][-SEQUENCE_BARS:]),
        original=lambda series: forecasts_by_keras(network, np.clip(series, *bound)),
    )


def _export(weights: list[NDArray[np.float64]], deviations: NDArray[np.float64], deviation: float) -> bytes:
    kernel, recurrent, biases, last_kernel, last_bias = weights
    graph = Graph()
    value = bounded_value(graph, 0.0, deviation)
    given = _affine(graph, value, kernel, biases[0])
    kept = _affine(graph, STATE, recurrent, biases[1])
    # Keras lays the gates side by side: update, reset, candidate.
    update, reset = (
        graph.node("Sigmoid", graph.node("Add", _gate(graph, given, at), _gate(graph, kept, at))) for at in (0, 1)
    )
    reached = graph.node("Mul", reset, _gate(graph, kept, 2))
    candidate = graph.node("Tanh", graph.node("Add", _gate(graph, given, 2), reached))
    change = graph.node("Mul", update, graph.node("Sub", STATE, candidate))
    hidden = graph.node("Add", candidate, change)
    forecast = _affine(graph, hidden, last_kernel, last_bias)
    return forecaster_bytes(graph, hidden, forecast, deviations, UNITS)


def _affine(graph: Graph, tensor: Tensor, kernel: NDArray[np.float64], bias: NDArray[np.float64]) -> Tensor:
    product = graph.node("MatMul", tensor, graph.constant(kernel))
    return graph.node("Add", product, graph.constant(bias[None, :]))


def _gate(graph: Graph, gates: Tensor, number: int) -> Tensor:
    return graph.columns(gates, list(range(number * UNITS, (number + 1) * UNITS)))
