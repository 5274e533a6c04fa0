"""Fits a temporal convolution by Keras and exports the newest of its forecasts in double: its window in and out.

Causal convolutions of two taps with dilations 1, 2, 4 and 8 (van den Oord et al., "WaveNet: a generative model for
raw audio", arXiv 1609.03499, 2016; Bai, Kolter and Koltun, "An empirical evaluation of generic convolutional and
recurrent networks for sequence modeling", arXiv 1803.01271, 2018). The newest forecast depends on the last 16
changes, and on just half as many outputs of each layer as of the one before: those at an even distance. So the graph
joins neighbours, layer by layer, and computes nothing twice.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.forecasts.forecast_model import STATE
from training.graph import Graph, Tensor
from training.market.forecast_graph import bounded_value, bounds, forecaster_bytes, shifted_window
from training.market.forecaster_fit import FittedForecaster, state_after
from training.market.lag_regression import Segments
from training.market.network_training import SEQUENCE_BARS, fit_network, forecasts_by_keras

CHANNELS = 8
DILATIONS = (1, 2, 4, 8)
WINDOW_BARS = 2 ** len(DILATIONS)
EPOCHS = 15


def fit_temporal_convolution(segments: Segments, *, seed: int, epochs: int = EPOCHS) -> FittedForecaster:
    """Return a temporal convolution of CHANNELS channels, fitted to all segments, its start after the last.

    Changes are expected to have deviations around 1. Raises ForecastFitError where there are too few, ImportError where
    TensorFlow is absent.
    """
    deviation = float(np.std(np.concatenate([changes for changes, _ in segments])))

    def layers(keras: Any) -> list[Any]:
        return [
            keras.layers.Conv1D(
                CHANNELS,
                2,
                padding="causal",
                dilation_rate=dilation,
                activation="relu",
                dtype="float64",
                name=f"convolution_{dilation}",
            )
            for dilation in DILATIONS
        ]

    network, deviations = fit_network(layers, segments, seed=seed, epochs=epochs, warm_up=WINDOW_BARS)
    onnx = _export([np.asarray(one, dtype=np.float64) for one in network.get_weights()], deviations, deviation)
    neutral, bound = np.zeros(WINDOW_BARS), bounds(0.0, deviation)
    return FittedForecaster(
        kind="temporal_convolution",
        description=f"temporal convolution of {CHANNELS} channels over {WINDOW_BARS} bars",
        value="change",
        onnx=onnx,
        neutral=neutral,
        start=state_after(onnx, neutral, segments[-1][0][-SEQUENCE_BARS:]),
        original=lambda series: forecasts_by_keras(network, np.clip(series, *bound)),
        # Keras pads every layer with zeros, the graph the changes alone.
        warm_up=WINDOW_BARS,
    )


def _export(weights: list[NDArray[np.float64]], deviations: NDArray[np.float64], deviation: float) -> bytes:
    graph = Graph()
    window = shifted_window(graph, STATE, WINDOW_BARS, bounded_value(graph, 0.0, deviation))
    made, width, channels = window, WINDOW_BARS, 1
    for kernel, bias in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        width //= 2
        pairs = graph.node("Reshape", made, graph.constant(np.array([-1, width, 2 * channels])))
        # The taps of a kernel [2, channels, CHANNELS] are in order of time, as the pairs are.
        product = graph.node("MatMul", pairs, graph.constant(kernel.reshape(2 * channels, CHANNELS)))
        made = graph.node("Relu", graph.node("Add", product, graph.constant(bias[None, None, :])))
        channels = CHANNELS
    flat: Tensor = graph.node("Reshape", made, graph.constant(np.array([-1, CHANNELS])))
    product = graph.node("MatMul", flat, graph.constant(weights[-2]))
    forecast = graph.node("Add", product, graph.constant(weights[-1][None, :]))
    return forecaster_bytes(graph, window, forecast, deviations, WINDOW_BARS)
