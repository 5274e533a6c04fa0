"""Exports an ARIMA model as a steady-state Kalman filter in double, with state in and out.

In Harvey's form (Forecasting, Structural Time Series Models and the Kalman Filter, 1989, section 4.1) the differences
w, less their mean, have a state a of r numbers, and the filter settles at a gain that is known beforehand:

    v_t = w_t - a_t[0]        a_(t+1) = T a_t + K v_t        K_i = ar_i + ma_i

with T the companion matrix of ar. The forecast of w_(t+h) is the first number of T^(h-1) a_(t+1). It is added up as
often as was differenced. The state of the graph is a, then the last difference where d = 2, then the last D s
differences that are differenced once more by the season, the oldest first.

With d > 0 the graph takes changes, so one difference is there already, and no level ever enters.
"""

import numpy as np
from numpy.typing import NDArray

from risk.forecasts.forecast_model import STATE, VALUE
from training.graph import Graph, Tensor
from training.market.arima_fit import FittedArima, Order, differenced, model_of
from training.market.forecast_graph import bounded_value, bounds, forecaster_bytes, shifted_window
from training.market.forecaster_fit import FittedForecaster, ForecastFitError


def export_arima(fitted: FittedArima, values: NDArray[np.float64], horizon_bars: int) -> FittedForecaster:
    """Return the graph of a model fitted to the levels `values` float64[n], its state that after the last of them.

    Raises ForecastFitError for d > 2 or D > 1.

    >>> from training.market.arima_fit import fit_arima
    >>> levels = np.cumsum(np.random.default_rng(0).standard_normal(200))
    >>> made = export_arima(fit_arima(levels, Order(0, 1, 1)), levels, 5)
    >>> made.description, made.value, made.start.shape
    ('ARIMA(0,1,1)', 'change', (2,))
    """
    order = fitted.order
    if order.d > 2 or order.seasonal_d > 1:
        raise ForecastFitError(f"{order} differences too often: take d of 0, 1 or 2, and D of 0 or 1")
    inputs = values if order.d == 0 else np.diff(values)
    centre, deviation = (float(np.nanmean(inputs)) if order.d == 0 else 0.0), float(np.nanstd(inputs))
    graph = Graph()
    value = bounded_value(graph, centre, deviation)
    size = len(fitted.ar)
    memory = _memory(order)
    parts = [graph.columns(STATE, list(range(size)))]
    newest, rest = value, size
    extra: Tensor | None = None
    if order.d == 2:
        extra, newest = newest, graph.node("Sub", newest, graph.columns(STATE, [rest]))
        parts.append(extra)
        rest += 1
    window: Tensor | None = None
    if order.seasonal_d == 1:
        old = graph.columns(STATE, list(range(rest, rest + order.period)))
        window = shifted_window(graph, old, order.period, newest)
        newest = graph.node("Sub", newest, graph.columns(old, [0]))
        parts.append(window)
    centred = graph.node("Sub", newest, graph.constant(np.array(fitted.mean)))
    innovation = graph.node("Sub", centred, graph.columns(parts[0], [0]))
    transition = companion(fitted.ar)
    moved = graph.node("MatMul", parts[0], graph.constant(transition.T.copy()))
    gained = graph.node("MatMul", innovation, graph.constant((fitted.ar + fitted.ma)[None, :]))
    parts[0] = graph.node("Add", moved, gained)
    ahead = np.stack([np.linalg.matrix_power(transition, step)[0] for step in range(horizon_bars)], axis=1)
    forecast = graph.node("Add", graph.node("MatMul", parts[0], graph.constant(ahead)), _constant(graph, fitted.mean))
    if window is not None:
        forecast = _with_season(graph, forecast, window, order.period, horizon_bars)
    if extra is not None:
        forecast = graph.node("Add", graph.node("MatMul", forecast, _sums(graph, horizon_bars)), extra)
    if order.d == 0:
        forecast = graph.node("Sub", forecast, VALUE)
    else:
        forecast = graph.node("MatMul", forecast, _sums(graph, horizon_bars))
    onnx = forecaster_bytes(
        graph, graph.side_by_side(*parts), forecast, deviations(fitted, horizon_bars), size + memory
    )
    return FittedForecaster(
        kind="seasonal_arima" if order.period else "arima",
        description=str(order),
        value="level" if order.d == 0 else "change",
        onnx=onnx,
        neutral=np.zeros(size + memory),
        start=np.concatenate([fitted.state, _last_differences(values, order)]),
        original=lambda series: filtered_by_statsmodels(fitted, series, bounds(centre, deviation), horizon_bars),
    )


def companion(ar: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return Harvey's transition matrix: `ar` in the first column, ones above the diagonal.

    >>> companion(np.array([0.5, 0.25])).tolist()
    [[0.5, 1.0], [0.25, 0.0]]
    """
    matrix = np.eye(len(ar), k=1)
    matrix[:, 0] = ar
    return matrix


def deviations(fitted: FittedArima, horizon_bars: int) -> NDArray[np.float64]:
    """Return the standard deviation of the error of the level's forecast 1 ... H bars ahead, float64[H].

    It is that of e times the root of the summed squares of the weights that the level gives to past e (Box and Jenkins,
    1970, section 5.1).
    """
    order = fitted.order
    polynomial = np.concatenate([[1.0], -fitted.ar])
    for _ in range(order.d):
        polynomial = np.convolve(polynomial, [1.0, -1.0])
    for _ in range(order.seasonal_d):
        polynomial = np.convolve(polynomial, [1.0, *([0.0] * (order.period - 1)), -1.0])
    weights = np.zeros(horizon_bars)
    moving = np.concatenate([[1.0], fitted.ma, np.zeros(horizon_bars)])
    for step in range(horizon_bars):
        back = np.arange(1, min(step, len(polynomial) - 1) + 1)
        weights[step] = moving[step] - polynomial[back] @ weights[step - back]
    found: NDArray[np.float64] = np.sqrt(fitted.variance * np.cumsum(weights**2))
    return found


def filtered_by_statsmodels(
    fitted: FittedArima, series: NDArray[np.float64], bound: tuple[float, float], horizon_bars: int
) -> NDArray[np.float64]:
    """Return what statsmodels' filter forecasts after each value of the series float64[n, T]: float64[n, T, H].

    The filter begins at the neutral state with the covariance that it settles at.
    """
    return np.stack([_filtered_one(fitted, one, bound, horizon_bars) for one in series])


def _filtered_one(
    fitted: FittedArima, values: NDArray[np.float64], bound: tuple[float, float], horizon_bars: int
) -> NDArray[np.float64]:
    order, count = fitted.order, len(values)
    bounded = np.clip(values, *bound)
    # Before the first value there were zeros.
    first = np.concatenate([[0.0], bounded]) if order.d == 2 else bounded
    once = np.diff(first) if order.d == 2 else first
    padded = np.concatenate([np.zeros(order.period * order.seasonal_d), once])
    differences = differenced(padded, Order(0, 0, 0, seasonal_d=order.seasonal_d, period=order.period))
    centred = Order(order.p, 0, order.q, False, order.seasonal_p, 0, order.seasonal_q, order.period)
    model = model_of((differences - fitted.mean) / fitted.unit, centred)
    size = model.ssm.k_states
    parameters = fitted.parameters[1:] if order.constant else fitted.parameters
    model.update(parameters)
    selection = model.ssm["selection"][:, 0]
    model.ssm.initialize_known(np.zeros(size), parameters[-1] * np.outer(selection, selection))
    state = model.ssm.filter().predicted_state.T[1:]
    transition = model.ssm["transition"]
    forecasts = np.empty((count, horizon_bars))
    for step in range(horizon_bars):
        forecasts[:, step] = state[:, 0] * fitted.unit + fitted.mean
        state = state @ transition.T
    if order.seasonal_d:
        for step in range(horizon_bars):
            back = step - order.period
            before = padded[order.period + back + 1 :][:count] if back < 0 else forecasts[:, back]
            forecasts[:, step] += before
    if order.d == 2:
        forecasts = np.cumsum(forecasts, axis=1) + bounded[:, None]
    if order.d == 0:
        return forecasts - values[:, None]
    return np.cumsum(forecasts, axis=1)


def _memory(order: Order) -> int:
    return max(order.d - 1, 0) + order.period * order.seasonal_d


def _last_differences(values: NDArray[np.float64], order: Order) -> NDArray[np.float64]:
    """Return what the state remembers beside the filter's, after the last of the levels."""
    remembered = []
    ordinary = values if order.d == 0 else np.diff(values)
    if order.d == 2:
        remembered.append(ordinary[-1:])
        ordinary = np.diff(ordinary)
    if order.seasonal_d:
        remembered.append(ordinary[-order.period :])
    return np.concatenate([*remembered, np.empty(0)])


def _with_season(graph: Graph, forecast: Tensor, window: Tensor, period: int, horizon_bars: int) -> Tensor:
    """Return u where forecast [rows, H] is of u_t - u_(t-s), and window [rows, s] holds the last s of u."""
    steps, own = np.arange(horizon_bars), np.zeros((horizon_bars, horizon_bars))
    before = np.zeros((period, horizon_bars))
    for step in steps.tolist():
        own[step % period : step + 1 : period, step] = 1.0
        before[step % period, step] = 1.0
    return graph.node(
        "Add",
        graph.node("MatMul", forecast, graph.constant(own)),
        graph.node("MatMul", window, graph.constant(before)),
    )


def _sums(graph: Graph, horizon_bars: int) -> Tensor:
    """Return the matrix that makes of H numbers their running sums."""
    return graph.constant(np.triu(np.ones((horizon_bars, horizon_bars))))


def _constant(graph: Graph, value: float) -> Tensor:
    return graph.constant(np.array(value))
