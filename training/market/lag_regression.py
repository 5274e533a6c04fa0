"""Fits regressions of the change over the next 1 ... H bars on the last few changes, and exports them in double.

Each horizon has coefficients of its own, by least squares: the direct method (Marcellino, Stock and Watson, "A
comparison of direct and iterated multistep AR methods for forecasting macroeconomic time series", Journal of
Econometrics 135, 2006). The polynomial one has all products of two of the last lags beside the lags themselves. The
state is the window of the last changes, the oldest first.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import PolynomialFeatures

from risk.forecasts.forecast_model import STATE
from training.graph import Graph
from training.market.forecast_graph import bounded_value, bounds, forecaster_bytes, shifted_window
from training.market.forecaster_fit import FittedForecaster, ForecastFitError, state_after

LINEAR_LAGS = (1, 2, 3, 5, 10)
"""The numbers of lags that are tried for a linear regression."""

POLYNOMIAL_LAGS = (1, 2, 3)

Segments = Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]
"""Of each key the changes float64[n], and what came after each of the first m <= n of them, float64[m, H]."""


def fit_lag_regression(segments: Segments, *, degree: int, criterion: str = "bic") -> FittedForecaster:
    """Return the regression of `degree` 1 or 2 whose number of lags has the least BIC (or AICc) at one bar.

    Segments are as long as they are; a window never holds changes of two. The numbers of lags are compared on the same
    rows, by the normal likelihood of the residuals. `start` is the state after the last change of the last segment.
    Raises ForecastFitError with fewer than 20 rows, or where nothing varies.
    """
    horizon_bars = segments[0][1].shape[1]
    deviation = float(np.std(np.concatenate([changes for changes, _ in segments])))
    tried = LINEAR_LAGS if degree == 1 else POLYNOMIAL_LAGS
    bound = bounds(0.0, deviation)
    windows = np.concatenate([_windows(np.clip(one, *bound), tried[-1])[: len(ahead)] for one, ahead in segments])
    targets = np.concatenate([ahead for _, ahead in segments])
    # The windows of the first bars reach back before the first change.
    whole = np.concatenate([np.arange(len(ahead)) >= tried[-1] - 1 for _, ahead in segments])
    windows, targets = windows[whole], targets[whole]
    if len(targets) < 20 + _width(tried[-1], degree) or not deviation > 0.0:
        raise ForecastFitError(
            f"a regression of degree {degree} has {len(targets)} rows of deviation {deviation:.3g}: give "
            f"{20 + _width(tried[-1], degree)} or more that are not all the same"
        )
    fits = {lags: _least_squares(windows[:, -lags:], targets, degree) for lags in tried}
    scores = {
        lags: information(targets[:, 0] - fit[1][:, 0], _width(lags, degree) + 2, criterion)
        for lags, fit in fits.items()
    }
    lags = min(scores, key=lambda one: scores[one])
    coefficients, fitted = fits[lags]
    freedom = len(targets) - _width(lags, degree) - 1
    deviations = np.sqrt(np.sum((targets - fitted) ** 2, axis=0) / freedom)
    onnx = _export(coefficients, deviations, lags, degree, deviation)
    neutral = np.zeros(lags)
    last = segments[-1][0]
    return FittedForecaster(
        kind="linear_regression" if degree == 1 else "polynomial_regression",
        description=f"{'linear' if degree == 1 else 'quadratic'} regression on {lags} lag{'s' if lags > 1 else ''}",
        value="change",
        onnx=onnx,
        neutral=neutral,
        start=state_after(onnx, neutral, last[-lags:]),
        original=lambda series: _by_scikit_learn(series, coefficients, lags, degree, bound, horizon_bars),
    )


def information(residuals: NDArray[np.float64], parameters: int, criterion: str) -> float:
    """Return the AICc or the BIC of normal residuals float64[n], their variance counted among the parameters.

    Hurvich and Tsai, "Regression and time series model selection in small samples", Biometrika 76 (1989); Schwarz,
    "Estimating the dimension of a model", Annals of Statistics 6 (1978).

    >>> round(information(np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0]), 2, "aicc"), 6)
    25.027262
    """
    count = len(residuals)
    # The sum of squares of a perfect fit would have no logarithm.
    variance = max(float(residuals @ residuals) / count, np.finfo(float).tiny)
    deviance = count * (np.log(2.0 * np.pi * variance) + 1.0)
    if criterion == "bic":
        return float(deviance + parameters * np.log(count))
    return float(deviance + 2.0 * parameters * count / (count - parameters - 1))


def _windows(changes: NDArray[np.float64], lags: int) -> NDArray[np.float64]:
    """Return the last changes as of each bar, float64[n, lags], the oldest first; zeros stand before the first."""
    padded = np.concatenate([np.zeros(lags - 1), changes])
    return np.lib.stride_tricks.sliding_window_view(padded, lags)


def _pairs(lags: int) -> list[tuple[int, int]]:
    return list(combinations_with_replacement(range(lags), 2))


def _width(lags: int, degree: int) -> int:
    return lags + (len(_pairs(lags)) if degree == 2 else 0)


def _least_squares(
    windows: NDArray[np.float64], targets: NDArray[np.float64], degree: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coefficients float64[1 + F, H], the intercept first, and the fitted values."""
    lags = windows.shape[1]
    columns = [np.ones((len(windows), 1)), windows]
    if degree == 2:
        columns += [windows[:, [one]] * windows[:, [other]] for one, other in _pairs(lags)]
    matrix = np.concatenate(columns, axis=1)
    coefficients, *_ = np.linalg.lstsq(matrix, targets)
    return np.asarray(coefficients, dtype=np.float64), np.asarray(matrix @ coefficients, dtype=np.float64)


def _export(
    coefficients: NDArray[np.float64], deviations: NDArray[np.float64], lags: int, degree: int, deviation: float
) -> bytes:
    graph = Graph()
    window = shifted_window(graph, STATE, lags, bounded_value(graph, 0.0, deviation))
    features = window
    if degree == 2:
        one, other = (graph.columns(window, list(numbers)) for numbers in zip(*_pairs(lags), strict=True))
        features = graph.side_by_side(window, graph.node("Mul", one, other))
    product = graph.node("MatMul", features, graph.constant(coefficients[1:]))
    forecast = graph.node("Add", product, graph.constant(coefficients[:1]))
    return forecaster_bytes(graph, window, forecast, deviations, lags)


def _by_scikit_learn(
    series: NDArray[np.float64],
    coefficients: NDArray[np.float64],
    lags: int,
    degree: int,
    bound: tuple[float, float],
    horizon_bars: int,
) -> NDArray[np.float64]:
    """Return the forecasts after each value of series float64[n, T], with scikit-learn's products of lags."""
    windows = np.concatenate([_windows(np.clip(one, *bound), lags) for one in series])
    features = PolynomialFeatures(degree).fit_transform(windows)
    return np.asarray(features @ coefficients, dtype=np.float64).reshape(*series.shape, horizon_bars)
