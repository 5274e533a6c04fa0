"""Models of every kind, and what the library arch gives for them."""

from functools import cache
from typing import Any

import arch.data.nasdaq
import arch.data.sp500
import arch.data.wti
import numpy as np
from arch.univariate import APARCH, EGARCH, FIGARCH, GARCH, EWMAVariance
from numpy.typing import NDArray

from risk.volatility.variance_recursion import LEAST_VARIANCE_PERCENT2, MOST_VARIANCE_PERCENT2
from risk.volatility.volatility_model import Aparch, Egarch, Ewma, Figarch, Garch, VolatilityModel

B: Any = {"backcast_percent2": 1.7, "mean_percent": 0.0564}
MODELS: tuple[VolatilityModel, ...] = (
    Ewma(**B),
    Ewma(decay=0.97, **B),
    Garch(omega=0.3, alpha=(0.2, 0.3), **B),
    Garch(omega=0.0175, alpha=(0.1022,), beta=(0.8852,), **B),
    Garch(omega=0.02, alpha=(0.05, 0.06), beta=(0.4, 0.45), **B),
    Garch(omega=0.02, alpha=(0.01,), gamma=(0.16,), beta=(0.88,), **B),
    Garch(omega=0.02, alpha=(0.02, 0.01), gamma=(0.1, 0.02, 0.01), beta=(0.3, 0.5), **B),
    Garch(omega=0.02, alpha=(), gamma=(0.2,), beta=(0.85,), **B),
    Garch(omega=0.02, alpha=(0.02,), gamma=(0.14,), beta=(0.9,), power=1.0, **B),
    Garch(omega=0.02, alpha=(0.05,), gamma=(0.1,), beta=(0.88,), power=1.5, **B),
    Egarch(omega=0.002, alpha=(0.12,), beta=(0.98,), **B),
    Egarch(omega=0.002, alpha=(0.12,), gamma=(-0.13,), beta=(0.97,), **B),
    Egarch(omega=0.002, alpha=(0.05, 0.08), gamma=(-0.1, -0.03), beta=(0.5, 0.3, 0.17), **B),
    Aparch(omega=0.02, alpha=(0.08,), beta=(0.9,), delta=1.0, **B),
    Aparch(omega=0.02, alpha=(0.07,), gamma=(0.9,), beta=(0.91,), delta=1.1, **B),
    Aparch(omega=0.02, alpha=(0.04, 0.03), gamma=(0.5,), beta=(0.5, 0.4), delta=1.8, **B),
    Figarch(omega=0.05, phi=0.1, d=0.45, beta=0.4, **B),
    Figarch(omega=0.05, d=0.4, beta=0.3, truncation=50, **B),
    Figarch(omega=0.05, phi=0.2, d=0.4, truncation=200, **B),
    Figarch(omega=0.05, phi=0.1, d=0.5, beta=0.5, power=1.0, truncation=300, **B),
)


@cache
def daily_returns(name: str) -> NDArray[np.float64]:
    """Return the daily log returns in percent of a series that comes with arch."""
    frame = getattr(arch.data, name).load()
    column = frame["Adj Close"] if "Adj Close" in frame else frame.iloc[:, 0]
    prices = column.dropna().to_numpy(dtype=np.float64)
    return np.asarray(100 * np.diff(np.log(prices[prices > 0])), dtype=np.float64)


def arch_process(model: VolatilityModel) -> tuple[Any, NDArray[np.float64]]:
    """Return arch's volatility process for a model, and the parameters as it takes them."""
    process: Any
    parameters: tuple[float, ...]
    match model:
        case Ewma():
            process, parameters = EWMAVariance(model.decay), ()
        case Figarch():
            process = FIGARCH(int(model.phi > 0), int(model.beta > 0), model.power, model.truncation)
            parameters = (model.omega, *filter(None, (model.phi,)), model.d, *filter(None, (model.beta,)))
        case Garch():
            process = GARCH(len(model.alpha), len(model.gamma), len(model.beta), power=model.power)
            parameters = (model.omega, *model.alpha, *model.gamma, *model.beta)
        case Egarch():
            process = EGARCH(len(model.alpha), len(model.gamma), len(model.beta))
            parameters = (model.omega, *model.alpha, *model.gamma, *model.beta)
        case Aparch():
            process = APARCH(len(model.alpha), len(model.gamma), len(model.beta))
            parameters = (model.omega, *model.alpha, *model.gamma, *model.beta, model.delta)
        case _:
            raise TypeError(f"arch has no {model}")
    return process, np.array(parameters, dtype=np.float64)


def bounds(model: VolatilityModel, bars: int) -> NDArray[np.float64]:
    """Return the core's bounds of variances in the power of the model, as arch takes them."""
    power = getattr(model, "power", 2.0)
    return np.tile(np.array([LEAST_VARIANCE_PERCENT2, MOST_VARIANCE_PERCENT2]) ** (power / 2), (bars, 1))


def arch_variances(model: VolatilityModel, returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what arch's own recursion gives, within our bounds, and then the forecast after the last return."""
    process, parameters = arch_process(model)
    residuals = np.append(returns - model.mean_percent, 0.0)
    variances = process.compute_variance(
        parameters,
        residuals,
        np.zeros(len(residuals)),
        process.backcast_transform(model.backcast_percent2),
        bounds(model, len(residuals)),
    )
    return np.asarray(variances, dtype=np.float64)
