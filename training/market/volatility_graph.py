"""The one-step recursion of a volatility model as an ONNX graph of doubles: state in, state out.

The state of a row is the variance in force for the bar and then, newest first and as long as the model looks back, what
the recursion takes of each past bar: its `size`, its `side` and its `level`. They are

- of GARCH and EWMA `|residual|**power`, the same where the residual is negative and else 0, and `sigma**power`;
- of EGARCH `|z| - sqrt(2 / pi)`, z, and the logarithm of the variance, which also follows the variance in force;
- of APARCH `|residual|`, the residual, and `sigma**delta`;
- of FIGARCH `|residual|**power` alone, and of HAR the realised variance alone.

Bars before the first thus have the values that `arch` gives them, and no graph counts bars. Where to begin lies in the
graph's metadata, so that whoever has the file needs nothing else.
"""

import json
import math
from itertools import pairwise

import numpy as np
import onnx

from risk.volatility.variance_recursion import LEAST_VARIANCE_PERCENT2, MOST_VARIANCE_PERCENT2, figarch_weights
from risk.volatility.volatility_model import HAR_BARS, Aparch, Egarch, Ewma, Figarch, Garch, Har, VolatilityModel
from risk.volatility.volatility_models import bars_back
from training.graph import Graph, Tensor
from training.market.volatility_graph_state import first_state

STATE = "state"
LOG_RETURN = "log_return_percent"
REALISED = "realised_variance_percent2"
NEXT_STATE = "next_state"
NEXT_VARIANCE = "next_variance_percent2"
FIRST_STATE = "first_state"
"""The key of the metadata that holds the state at the end of training, as JSON."""

_ABSOLUTE_NORMAL_MEAN = 0.79788456080286535587989211
_HAR_PARTS = tuple(pairwise((0, *HAR_BARS)))
_MOST_LOG = math.log(np.finfo(np.float64).max)


def recursion_bytes(model: VolatilityModel) -> bytes:
    """Return the bytes of a model's graph.

    Its inputs are double: `state` [rows, S], `log_return_percent` [rows, 1] and, for HAR alone,
    `realised_variance_percent2` [rows, 1]. Its outputs are `next_state` [rows, S] and `next_variance_percent2`
    [rows, 1], the forecast for the bar to come, which is also the first of the next state. Its metadata tells
    `first_state`, the state of a row at the end of the model's training, or else at its backcast, as a JSON array of S.

    >>> from risk.volatility.volatility_model import Garch
    >>> len(recursion_bytes(Garch(omega=0.1, alpha=(0.1,), beta=(0.8,), backcast_percent2=1.0))) > 0
    True
    """
    graph = Graph()
    lags = bars_back(model)
    variance = graph.columns(STATE, [0])
    residual = graph.node("Sub", LOG_RETURN, _constant(graph, model.mean_percent))
    size, side, level = _taken(graph, model, residual, variance)
    windows = []
    first = 2 if isinstance(model, Egarch) else 1
    for newest in (size, side, level):
        if newest is not None:
            kept = list(range(first, first + lags - 1))
            windows.append(graph.side_by_side(newest, graph.columns(STATE, kept)) if kept else newest)
            first += lags
    following = _next_variance(graph, model, windows)
    inputs = {STATE: first, LOG_RETURN: 1}
    if isinstance(model, Har):
        inputs[REALISED] = 1
    outputs = {NEXT_STATE: (graph.side_by_side(*following, *windows), first), NEXT_VARIANCE: (following[0], 1)}
    made = onnx.load_model_from_string(graph.serialise_recursion("conditional_variance", inputs, outputs))
    onnx.helper.set_model_props(made, {FIRST_STATE: json.dumps(first_state(model).tolist())})
    return bytes(made.SerializeToString(deterministic=True))


def _constant(graph: Graph, value: float) -> Tensor:
    return graph.constant(np.array(value, dtype=np.float64))


def _power(graph: Graph, absolute: Tensor, power: float) -> Tensor:
    """Return a power, exactly where that is a product."""
    if power == 2.0:
        return graph.node("Mul", absolute, absolute)
    return absolute if power == 1.0 else graph.node("Pow", absolute, _constant(graph, power))


def _power_of_variance(graph: Graph, variance: Tensor, power: float) -> Tensor:
    return variance if power == 2.0 else _power(graph, graph.node("Sqrt", variance), power)


def _taken(
    graph: Graph, model: VolatilityModel, residual: Tensor, variance: Tensor
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return the size, side and level of the bar."""
    absolute = graph.node("Abs", residual)
    match model:
        case Har():
            return graph.node("Min", REALISED, _constant(graph, MOST_VARIANCE_PERCENT2)), None, None
        case Figarch():
            return _power(graph, absolute, model.power), None, None
        case Egarch():
            z = graph.node("Div", residual, graph.node("Sqrt", variance))
            size = graph.node("Sub", graph.node("Abs", z), _constant(graph, _ABSOLUTE_NORMAL_MEAN))
            return size, z, graph.columns(STATE, [1])
        case Aparch():
            level = graph.node("Pow", variance, _constant(graph, 0.5 * model.delta))
            return absolute, residual, level
        case _:
            power = model.power if isinstance(model, Garch) else 2.0
            size = _power(graph, absolute, power)
            zero = _constant(graph, 0.0)
            side = graph.node("Where", graph.node("Less", residual, zero), size, zero)
            return size, side, _power_of_variance(graph, variance, power)


def _next_variance(graph: Graph, model: VolatilityModel, windows: list[Tensor]) -> tuple[Tensor, ...]:
    """Return the forecast [rows, 1] from the windows of sizes, sides and levels, each [rows, lags].

    Its logarithm comes with it for EGARCH.
    """
    match model:
        case Har():
            return (_har(graph, model, windows[0]),)
        case Figarch():
            # The sum of one row does not depend on the others, as a matrix product's might.
            weights = figarch_weights(model.phi, model.d, model.beta, model.truncation)
            weighted = graph.node("Mul", windows[0], graph.constant(weights[None, :]))
            total = graph.node("ReduceSum", weighted, graph.constant(np.array([1])), keepdims=1)
            value = graph.node("Add", total, _constant(graph, model.omega / (1.0 - model.beta)))
            return (_variance_of_power(graph, _bounded(graph, value, model.power), model.power),)
        case Egarch():
            return _egarch(graph, _sum(graph, model.omega, windows, (model.alpha, model.gamma, model.beta)))
        case Aparch():
            return (_aparch(graph, model, windows),)
        case Ewma():
            value = _sum(graph, 0.0, windows, ((1.0 - model.decay,), (), (model.decay,)))
            return (_bounded(graph, value, 2.0),)
        case Garch():
            value = _sum(graph, model.omega, windows, (model.alpha, model.gamma, model.beta))
            return (_variance_of_power(graph, _bounded(graph, value, model.power), model.power),)


def _sum(graph: Graph, omega: float, windows: list[Tensor], coefficients: tuple[tuple[float, ...], ...]) -> Tensor:
    """Return omega plus each coefficient times its lag, added in the order of `arch`."""
    value = _constant(graph, omega)
    for window, every in zip(windows, coefficients, strict=True):
        for lag, one in enumerate(every):
            term = graph.node("Mul", graph.columns(window, [lag]), _constant(graph, one))
            value = graph.node("Add", value, term)
    return value


def _egarch(graph: Graph, logarithm: Tensor) -> tuple[Tensor, Tensor]:
    """Return a variance and its logarithm within their bounds, from a logarithm.

    ONNX Runtime's Exp and Log give a row other bits at the end of a batch; Pow, and adding, do not. Above the greatest
    variance m, `arch` takes m + x - log(m) for exp(x), whose logarithm is that of m plus (x - log(m)) / m: what is left
    out is beyond the last bit.
    """
    most_log = math.log(MOST_VARIANCE_PERCENT2)
    x = graph.node("Min", logarithm, _constant(graph, _MOST_LOG))
    x = graph.node("Max", x, _constant(graph, math.log(LEAST_VARIANCE_PERCENT2)))
    beyond = graph.node("Sub", x, _constant(graph, most_log))
    within = graph.node("Pow", _constant(graph, math.e), graph.node("Min", x, _constant(graph, most_log)))
    within = graph.node("Max", within, _constant(graph, LEAST_VARIANCE_PERCENT2))
    above = graph.node("Greater", beyond, _constant(graph, 0.0))
    most = _constant(graph, MOST_VARIANCE_PERCENT2)
    variance = graph.node("Where", above, graph.node("Add", beyond, most), within)
    beyond_log = graph.node("Add", graph.node("Div", beyond, most), _constant(graph, most_log))
    return variance, graph.node("Where", above, beyond_log, x)


def _aparch(graph: Graph, model: Aparch, windows: list[Tensor]) -> Tensor:
    sizes, sides, levels = windows
    delta = _constant(graph, model.delta)
    value = _constant(graph, model.omega)
    for lag, alpha in enumerate(model.alpha):
        shock = graph.columns(sizes, [lag])
        if lag < len(model.gamma):
            asymmetry = graph.node("Mul", graph.columns(sides, [lag]), _constant(graph, model.gamma[lag]))
            shock = graph.node("Sub", shock, asymmetry)
        value = graph.node("Add", value, graph.node("Mul", graph.node("Pow", shock, delta), _constant(graph, alpha)))
    for lag, beta in enumerate(model.beta):
        term = graph.node("Mul", graph.columns(levels, [lag]), _constant(graph, beta))
        value = graph.node("Add", value, term)
    return _bounded(graph, graph.node("Pow", value, _constant(graph, 2.0 / model.delta)), 2.0)


def _har(graph: Graph, model: Har, window: Tensor) -> Tensor:
    value = _constant(graph, model.constant)
    total: Tensor | None = None
    for coefficient, (first, bars) in zip((model.daily, model.weekly, model.monthly), _HAR_PARTS, strict=True):
        for lag in range(first, bars):
            measured = graph.columns(window, [lag])
            total = measured if total is None else graph.node("Add", total, measured)
        assert total is not None
        mean = graph.node("Div", total, _constant(graph, float(bars)))
        value = graph.node("Add", value, graph.node("Mul", mean, _constant(graph, coefficient)))
    return _bounded(graph, graph.node("Mul", value, _constant(graph, model.scale)), 2.0)


def _variance_of_power(graph: Graph, value: Tensor, power: float) -> Tensor:
    if power == 2.0:
        return value
    return graph.node("Mul", value, value) if power == 1.0 else graph.node("Pow", value, _constant(graph, 2.0 / power))


def _bounded(graph: Graph, value: Tensor, power: float) -> Tensor:
    """Return a power of a deviation within its bounds, above the greatest by the logarithm as in `arch`."""
    least = _constant(graph, LEAST_VARIANCE_PERCENT2 ** (0.5 * power))
    most = _constant(graph, MOST_VARIANCE_PERCENT2 ** (0.5 * power))
    logarithm = graph.node("Log", graph.node("Div", graph.node("Max", value, most), most))
    excess = graph.node("Where", graph.node("IsInf", value), _constant(graph, 1000.0), logarithm)
    above = graph.node("Add", excess, most)
    return graph.node("Where", graph.node("Greater", value, most), above, graph.node("Max", value, least))
