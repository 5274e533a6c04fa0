"""The variances of the bars to come from the present state of a symbol: by formula, or along given innovations.

`seen`, the rings and the packed model are those of `risk.volatility.variance_recursion`; `next_variance_percent2` is
the forecast for the bar to come.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.volatility.packed_model import (
    APARCH,
    BACKCAST,
    EGARCH,
    EWMA,
    FIGARCH,
    FIRST,
    GARCH,
    HAR,
    KIND,
    LAGS_O,
    LAGS_P,
    LAGS_Q,
    MEAN,
    POWER,
    TRUNCATION,
)
from risk.volatility.variance_recursion import bounded, next_variance

Vector = NDArray[np.float64]


def has_formula(model: Vector) -> bool:
    """Return whether the expected variances of a packed model have a formula: its recursion is linear in squares."""
    kind = int(model[KIND])
    return kind not in (EGARCH, APARCH) and (kind == HAR or bool(model[POWER] == 2.0))


@njit(cache=True)
def expected_variances(
    model: Vector,
    weights: Vector,
    residuals: Vector,
    variances: Vector,
    realised: Vector,
    seen: int,
    next_variance_percent2: float,
    horizon_bars: int,
) -> Vector:
    """Return the expected variance of each of the next bars, float64[horizon_bars], for a model that has a formula.

    A square to come is expected to be its variance, and
    half of that where only negative residuals count, as `arch` has it for its analytic forecasts.
    """
    path = np.empty(horizon_bars)
    path[0] = next_variance_percent2
    kind = int(model[KIND])
    for ahead in range(1, horizon_bars):
        if kind == FIGARCH:
            path[ahead] = _figarch_ahead(model, weights, residuals, seen, path, ahead)
        elif kind == HAR:
            path[ahead] = _har_ahead(model, realised, seen, path, ahead)
        else:
            path[ahead] = _garch_ahead(model, residuals, variances, seen, path, ahead)
    return path


@njit(cache=True)
def _past(ring: Vector, seen: int, lag: int, otherwise: float) -> float:
    """Return what the ring holds `lag + 1` bars ago, or something else for a bar before the first."""
    return float(otherwise if lag >= seen else ring[(seen - 1 - lag) % len(ring)])


@njit(cache=True)
def _garch_ahead(model: Vector, residuals: Vector, variances: Vector, seen: int, path: Vector, ahead: int) -> float:
    p, o, q = int(model[LAGS_P]), int(model[LAGS_O]), int(model[LAGS_Q])
    backcast = model[BACKCAST]
    value = model[FIRST]
    at = FIRST + 1
    for lag in range(p):
        if lag < ahead:
            value += model[at] * path[ahead - 1 - lag]
        else:
            value += model[at] * _past(residuals, seen, lag - ahead, math.sqrt(backcast)) ** 2
        at += 1
    for lag in range(o):
        if lag < ahead:
            value += model[at] * (0.5 * path[ahead - 1 - lag])
        else:
            residual = _past(residuals, seen, lag - ahead, -math.sqrt(0.5 * backcast))
            value += model[at] * (residual * residual if residual < 0.0 else 0.0)
        at += 1
    for lag in range(q):
        past = path[ahead - 1 - lag] if lag < ahead else _past(variances, seen, lag - ahead, backcast)
        value += model[at] * past
        at += 1
    return bounded(value, 2.0)


@njit(cache=True)
def _figarch_ahead(model: Vector, weights: Vector, residuals: Vector, seen: int, path: Vector, ahead: int) -> float:
    value = model[FIRST] / (1.0 - model[FIRST + 3])
    for lag in range(int(model[TRUNCATION])):
        if lag < ahead:
            value += weights[lag] * path[ahead - 1 - lag]
        elif lag - ahead < seen:
            residual = residuals[(seen - 1 - lag + ahead) % len(residuals)]
            value += weights[lag] * (residual * residual)
        else:
            value += weights[lag] * model[BACKCAST]
    return bounded(value, 2.0)


@njit(cache=True)
def _har_ahead(model: Vector, realised: Vector, seen: int, path: Vector, ahead: int) -> float:
    scale = model[POWER]
    value, total, back = model[FIRST], 0.0, 0
    for number, bars in enumerate((1, 5, 22)):
        while back < bars:
            if back < ahead:
                total += path[ahead - 1 - back] / scale
            else:
                total += _past(realised, seen, back - ahead, model[BACKCAST] / scale)
            back += 1
        value += model[FIRST + 1 + number] * (total / bars)
    return bounded(scale * value, 2.0)


@njit(cache=True)
def simulated(
    model: Vector,
    weights: Vector,
    residuals: Vector,
    variances: Vector,
    realised: Vector,
    seen: int,
    next_variance_percent2: float,
    innovations: Vector,
) -> tuple[Vector, Vector]:
    """Return each path's total log return in percent, float64[P], and the paths' mean variances, float64[h].

    `innovations` are standardised residuals, float64[P, h]. In HAR, the realised variance of a simulated bar is its
    squared residual over the scale.
    """
    if (
        model[KIND] in (GARCH, EWMA)
        and model[LAGS_P] == model[LAGS_Q] == 1
        and model[LAGS_O] <= 1
        and model[POWER] == 2
    ):
        return _simulated_garch(model, next_variance_percent2, innovations)
    paths, horizon = innovations.shape
    # Laid out so that no ring wraps: the bars to come follow those that were.
    start = min(seen, max(len(residuals), len(realised)))
    past_residuals = _unrolled(residuals, seen, start, horizon)
    past_variances = _unrolled(variances, seen, start, horizon)
    past_realised = _unrolled(realised, seen, start, horizon)
    scale = model[POWER] if model[KIND] == HAR else 1.0
    totals, means = np.zeros(paths), np.zeros(horizon)
    for path in range(paths):
        for ahead in range(horizon):
            variance = next_variance_percent2
            if ahead > 0:
                variance = next_variance(model, weights, past_residuals, past_variances, past_realised, start + ahead)
            residual = math.sqrt(variance) * innovations[path, ahead]
            past_residuals[start + ahead], past_variances[start + ahead] = residual, variance
            past_realised[start + ahead] = residual * residual / scale
            totals[path] += model[MEAN] + residual
            means[ahead] += variance
    means /= paths
    # The first is the same on every path, and exact.
    means[0] = next_variance_percent2
    return totals, means


@njit(cache=True)
def _simulated_garch(model: Vector, next_variance_percent2: float, innovations: Vector) -> tuple[Vector, Vector]:
    """Return what `simulated` does for GARCH and GJR of one lag, whose paths need no past: ten times as fast."""
    paths, horizon = innovations.shape
    mean, omega, alpha, beta = model[MEAN], model[FIRST], model[FIRST + 1], model[FIRST + 2 + int(model[LAGS_O])]
    gamma = model[FIRST + 2] if model[LAGS_O] == 1 else 0.0
    totals, means = np.zeros(paths), np.zeros(horizon)
    for path in range(paths):
        variance, total = next_variance_percent2, 0.0
        for ahead in range(horizon):
            residual = math.sqrt(variance) * innovations[path, ahead]
            total += mean + residual
            means[ahead] += variance
            square = residual * residual
            value = omega + alpha * square
            if residual < 0.0:
                value += gamma * square
            variance = bounded(value + beta * variance, 2.0)
        totals[path] = total
    means /= paths
    means[0] = next_variance_percent2
    return totals, means


@njit(cache=True)
def _unrolled(ring: Vector, seen: int, start: int, horizon_bars: int) -> Vector:
    """Return a ring's last bars up to place `start`, with room for the bars to come after them."""
    unrolled = np.zeros(start + horizon_bars)
    for lag in range(min(start, len(ring))):
        unrolled[start - 1 - lag] = ring[(seen - 1 - lag) % len(ring)]
    return unrolled
