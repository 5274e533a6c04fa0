"""The recursions of the volatility models: the variance of the next return from the bars before it.

They are those of the library `arch` 8, operation for operation, with its backcast for bars before the first. Past
bars lie in rings: of `seen` bars, number `seen - 1 - lag` modulo the ring's length is the one `lag + 1` bars ago.
Residuals and variances are kept as they are, and powers or logarithms are taken
where a model wants them, so another model can go on from the same rings.
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
    KIND,
    LAGS_O,
    LAGS_P,
    LAGS_Q,
    POWER,
    TRUNCATION,
)

LEAST_VARIANCE_PERCENT2 = 1e-12
MOST_VARIANCE_PERCENT2 = 1e12
"""Variances are held within these, as `arch` holds them in bounds: no price moves so little, and none so much. Without
them a long calm would lead to a variance of 0, and a residual could not be divided by its deviation."""

_ROOT_2_OVER_PI = 0.79788456080286535587989211
_MOST_LOG = math.log(np.finfo(np.float64).max)


@njit(cache=True)
def figarch_weights(phi: float, d: float, beta: float, truncation: int) -> NDArray[np.float64]:
    """Return the weights of the ARCH of `truncation` lags that stands for FIGARCH(1, d, 1), float64[truncation].

    Baillie, Bollerslev and Mikkelsen, Journal of Econometrics 74 (1996), section 4.

    >>> figarch_weights(0.0, 0.5, 0.0, 3).tolist()
    [0.5, 0.125, 0.0625]
    """
    weights = np.empty(truncation)
    delta = d
    weights[0] = phi - beta + d
    for i in range(1, truncation):
        last_delta = delta
        delta = (i - d) / (i + 1) * last_delta
        weights[i] = beta * weights[i - 1] + (delta - phi * last_delta)
    return weights


@njit(cache=True)
def next_variance(
    model: NDArray[np.float64],
    weights: NDArray[np.float64],
    residuals: NDArray[np.float64],
    variances: NDArray[np.float64],
    realised: NDArray[np.float64],
    seen: int,
) -> float:
    """Return the forecast of the next return's variance, in percent squared, from the rings of a symbol.

    `weights` are those of FIGARCH, and are not looked at for other models; likewise `realised` for HAR.
    """
    kind = int(model[KIND])
    if kind in (GARCH, EWMA):
        return _garch(model, residuals, variances, seen)
    if kind == EGARCH:
        return _egarch(model, residuals, variances, seen)
    if kind == APARCH:
        return _aparch(model, residuals, variances, seen)
    if kind == FIGARCH:
        return _figarch(model, weights, residuals, seen)
    return _har(model, realised, seen)


@njit(cache=True)
def bounded(value: float, power: float) -> float:
    """Return a deviation's power within the bounds of variances, above the greatest by the logarithm as in `arch`.

    >>> bounded(0.0, 2.0)
    1e-12
    """
    least, most = LEAST_VARIANCE_PERCENT2, MOST_VARIANCE_PERCENT2
    if power != 2.0:
        least, most = least ** (0.5 * power), most ** (0.5 * power)
    if value < least:
        return float(least)
    if value > most:
        return float(most + 1000.0 if math.isinf(value) else most + math.log(value / most))
    return float(value)


@njit(cache=True)
def _power(absolute: float, power: float) -> float:
    """Return a power, exactly where that is a product."""
    if power == 2.0:
        return absolute * absolute
    return absolute if power == 1.0 else float(absolute**power)


@njit(cache=True)
def _power_of_variance(variance: float, power: float) -> float:
    """Return the power of the deviation."""
    return variance if power == 2.0 else _power(math.sqrt(variance), power)


@njit(cache=True)
def _variance_of_power(value: float, power: float) -> float:
    """Return the variance of which the deviation's power is given."""
    if power == 2.0:
        return value
    return value * value if power == 1.0 else value ** (2.0 / power)


@njit(cache=True)
def _garch(
    model: NDArray[np.float64], residuals: NDArray[np.float64], variances: NDArray[np.float64], seen: int
) -> float:
    p, o, q, power = int(model[LAGS_P]), int(model[LAGS_O]), int(model[LAGS_Q]), model[POWER]
    backcast = _power_of_variance(model[BACKCAST], power)
    value = model[FIRST]
    at = FIRST + 1
    for lag in range(p):
        if lag >= seen:
            value += model[at] * backcast
        else:
            value += model[at] * _power(abs(residuals[(seen - 1 - lag) % len(residuals)]), power)
        at += 1
    for lag in range(o):
        if lag >= seen:
            value += model[at] * 0.5 * backcast
        else:
            residual = residuals[(seen - 1 - lag) % len(residuals)]
            value += model[at] * _power(abs(residual), power) * (1.0 if residual < 0.0 else 0.0)
        at += 1
    for lag in range(q):
        if lag >= seen:
            value += model[at] * backcast
        else:
            value += model[at] * _power_of_variance(variances[(seen - 1 - lag) % len(variances)], power)
        at += 1
    return _variance_of_power(bounded(value, power), power)


@njit(cache=True)
def _egarch(
    model: NDArray[np.float64], residuals: NDArray[np.float64], variances: NDArray[np.float64], seen: int
) -> float:
    p, o, q = int(model[LAGS_P]), int(model[LAGS_O]), int(model[LAGS_Q])
    value = model[FIRST]
    at = FIRST + 1
    for lag in range(p):
        if lag < seen:
            residual = residuals[(seen - 1 - lag) % len(residuals)]
            deviation = math.sqrt(variances[(seen - 1 - lag) % len(variances)])
            value += model[at] * (abs(residual / deviation) - _ROOT_2_OVER_PI)
        at += 1
    for lag in range(o):
        if lag < seen:
            residual = residuals[(seen - 1 - lag) % len(residuals)]
            value += model[at] * (residual / math.sqrt(variances[(seen - 1 - lag) % len(variances)]))
        at += 1
    for lag in range(q):
        last = model[BACKCAST] if lag >= seen else variances[(seen - 1 - lag) % len(variances)]
        value += model[at] * math.log(last)
        at += 1
    variance = math.exp(min(value, _MOST_LOG))
    if variance < LEAST_VARIANCE_PERCENT2:
        return LEAST_VARIANCE_PERCENT2
    if variance > MOST_VARIANCE_PERCENT2:
        return MOST_VARIANCE_PERCENT2 + math.log(variance) - math.log(MOST_VARIANCE_PERCENT2)
    return variance


@njit(cache=True)
def _aparch(
    model: NDArray[np.float64], residuals: NDArray[np.float64], variances: NDArray[np.float64], seen: int
) -> float:
    p, o, q, delta = int(model[LAGS_P]), int(model[LAGS_O]), int(model[LAGS_Q]), model[POWER]
    value = model[FIRST]
    for lag in range(p):
        if lag >= seen:
            shock = math.sqrt(model[BACKCAST])
        else:
            residual = residuals[(seen - 1 - lag) % len(residuals)]
            shock = abs(residual)
            if o > lag:
                shock -= model[FIRST + 1 + p + lag] * residual
        value += model[FIRST + 1 + lag] * shock**delta
    for lag in range(q):
        last = model[BACKCAST] if lag >= seen else variances[(seen - 1 - lag) % len(variances)]
        value += model[FIRST + 1 + p + o + lag] * last ** (delta / 2.0)
    return bounded(value ** (2.0 / delta), 2.0)


@njit(cache=True)
def _figarch(
    model: NDArray[np.float64], weights: NDArray[np.float64], residuals: NDArray[np.float64], seen: int
) -> float:
    truncation, power = int(model[TRUNCATION]), model[POWER]
    before = 0.0
    for lag in range(seen, truncation):
        before += weights[lag]
    value = model[FIRST] / (1.0 - model[FIRST + 3]) + before * _power_of_variance(model[BACKCAST], power)
    at = seen % len(residuals)
    for lag in range(min(seen, truncation)):
        # A ring of a thousand bars is walked without a division at each.
        at = at - 1 if at > 0 else len(residuals) - 1
        value += weights[lag] * _power(abs(residuals[at]), power)
    return _variance_of_power(bounded(value, power), power)


@njit(cache=True)
def _har(model: NDArray[np.float64], realised: NDArray[np.float64], seen: int) -> float:
    """The averages over HAR_BARS; a bar before the first has the backcast over the scale as its realised variance."""
    scale = model[POWER]
    value, total, back = model[FIRST], 0.0, 0
    for number, bars in enumerate((1, 5, 22)):
        while back < bars:
            total += model[BACKCAST] / scale if back >= seen else realised[(seen - 1 - back) % len(realised)]
            back += 1
        value += model[FIRST + 1 + number] * (total / bars)
    return bounded(scale * value, 2.0)
