"""The state from which a volatility model's graph begins; see `training.market.volatility_graph`."""

import math

import numpy as np
from numpy.typing import NDArray

from risk.market.pooled import POOLED
from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.volatility_model import Aparch, Egarch, Figarch, Garch, Har, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels, bars_back

Vector = NDArray[np.float64]


def first_state(model: VolatilityModel) -> Vector:
    """Return the state float64[S] of a row at the end of the model's training, or else at its backcast.

    >>> first_state(Garch(omega=0.1, alpha=(0.1,), beta=(0.8,), backcast_percent2=2.0)).round(12).tolist()
    [1.9, 2.0, 1.0, 2.0]
    """
    lags, end = bars_back(model), model.start
    residuals, variances, realised = (
        np.array(one[::-1][:lags], dtype=np.float64)
        for one in (
            ((), (), ())
            if end is None
            else (end.residuals_percent, end.variances_percent2, end.realised_variances_percent2)
        )
    )
    variance = ConditionalVariance(VolatilityModels({POOLED: model})).variance_path([POOLED], 1)[0]
    taken = zip(_taken(model, residuals, variances, realised), _before_the_first(model), strict=True)
    windows = [np.append(one, np.full(lags - len(one), before)) for one, before in taken]
    in_force = np.append(variance, np.log(variance)) if isinstance(model, Egarch) else variance
    return np.concatenate([in_force, *windows])


def _taken(model: VolatilityModel, residuals: Vector, variances: Vector, realised: Vector) -> tuple[Vector, ...]:
    """Return the size, side and level of each bar, as far as the model has them."""
    absolute = np.abs(residuals)
    match model:
        case Har():
            return (realised,)
        case Figarch():
            return (absolute**model.power,)
        case Egarch():
            z = residuals / np.sqrt(variances)
            return np.abs(z) - math.sqrt(2.0 / math.pi), z, np.log(variances)
        case Aparch():
            return absolute, residuals, variances ** (0.5 * model.delta)
        case _:
            power = model.power if isinstance(model, Garch) else 2.0
            return absolute**power, np.where(residuals < 0.0, absolute**power, 0.0), variances ** (0.5 * power)


def _before_the_first(model: VolatilityModel) -> tuple[float, ...]:
    """Return what `arch` takes for a bar before the first."""
    backcast = model.backcast_percent2
    match model:
        case Har():
            return (backcast / model.scale,)
        case Figarch():
            return (backcast ** (0.5 * model.power),)
        case Egarch():
            return 0.0, 0.0, math.log(backcast)
        case Aparch():
            return math.sqrt(backcast), 0.0, backcast ** (0.5 * model.delta)
        case _:
            power = backcast ** (0.5 * model.power) if isinstance(model, Garch) else backcast
            return power, 0.5 * power, power
