"""The step of forecasts, for the laws: with three small graphs, so small that their numbers can be checked by hand."""

import numpy as np
from numpy.typing import NDArray
from steps import Events, Step

from risk.forecasts.forecast_step import BarForecasts, Forecasts
from risk.forecasts.forecaster import Forecaster, Forecasters
from training.graph import Graph
from training.market.forecast_graph import bounded_value, forecaster_bytes, shifted_window

HORIZON_BARS = 2


def decaying_graph(share: float, deviation: float) -> bytes:
    """Return a graph whose state s becomes s / 2 + value, and which expects `share` of it, and twice that after two."""
    graph = Graph()
    value = bounded_value(graph, 0.0, 5.0)
    state = graph.node("Add", graph.node("Mul", "state", graph.constant(np.array(0.5))), value)
    forecast = graph.node("MatMul", state, graph.constant(np.array([[share, 2.0 * share]])))
    return forecaster_bytes(graph, state, forecast, np.array([deviation, 2.0 * deviation]), 1)


def window_graph() -> bytes:
    """Return a graph that expects the opposite of the mean of the last three values."""
    graph = Graph()
    window = shifted_window(graph, "state", 3, bounded_value(graph, 0.0, 1.0))
    forecast = graph.node("MatMul", window, graph.constant(np.full((3, HORIZON_BARS), -1.0 / 3.0)))
    return forecaster_bytes(graph, window, forecast, np.array([1.0, 1.5]), 3)


FILES = {"decay.onnx": decaying_graph(0.25, 1.0), "own.onnx": decaying_graph(0.5, 2.0), "window.onnx": window_graph()}
FORECASTERS = Forecasters(
    horizon_bars=HORIZON_BARS,
    deviations={"*": 1.0, "s1": 2.0},
    skill_half_life_bars=20.0,
    forecasters=(
        Forecaster(
            model="decay",
            key="*",
            kind="arima",
            description="half of it stays",
            file="decay.onnx",
            value="change",
            scaling="running",
            start=(0.0,),
        ),
        Forecaster(
            model="window",
            key="*",
            kind="linear_regression",
            description="the last three",
            file="window.onnx",
            value="change",
            scaling="running",
            start=(0.0, 0.0, 0.0),
        ),
        Forecaster(
            model="decay",
            key="s1",
            kind="arima",
            description="half of it stays",
            file="own.onnx",
            value="level",
            scaling="fixed",
            start=(0.75,),
        ),
    ),
)


def forecast_columns(bars: BarForecasts) -> list[bytes]:
    """Return the bytes of all that each bar gave."""
    columns = [getattr(bars, name) for name in bars.__slots__ if name != "key"]
    return [np.concatenate([np.ravel(column[at]) for column in columns]).tobytes() for at in range(len(bars))]


def bars_of(draw: np.random.Generator, n: int) -> Events:
    """Return n closed bars of some keys, a few of which move as no market does, or not at all."""
    keys = [f"s{key}" for key in np.where(draw.random(n) < 0.8, draw.integers(0, 3, n), draw.integers(3, 20, n))]
    rare = draw.choice([0.0, 1e4, -1e4, 1e-300, 1e-9], n)
    change: NDArray[np.float64] = np.where(draw.random(n) < 0.9, draw.normal(0.0, 1.0, n), rare)
    return {"key": keys, "level": draw.choice([460.0, -7e4, 7e4, 0.0], n) + change, "change": change}


def _advance(step: Forecasts, events: Events) -> list[bytes]:
    return forecast_columns(step.advance(**events))


STEPS = (Step("forecasts", lambda: Forecasts(FORECASTERS, FILES), _advance, bars_of, "key"),)
