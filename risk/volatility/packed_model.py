"""A volatility model as the compiled loops take it: one float64 vector."""

import math

import numpy as np
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.volatility.volatility_model import Aparch, Egarch, Ewma, Figarch, Garch, Har, VolatilityModel

KIND, LAGS_P, LAGS_O, LAGS_Q, POWER, MEAN, BACKCAST, TRUNCATION, FREEDOM, SKEW, FIRST = range(11)
"""Where things stand in a packed model; from FIRST on, the coefficients in the order of `arch`.

POWER holds the delta of APARCH, and the scale of HAR.
"""

GARCH, EGARCH, APARCH, FIGARCH, HAR, EWMA = range(1, 7)
"""The kinds of packed models; 0 is none."""


def packed_model(model: VolatilityModel) -> NDArray[np.float64]:
    """Return a model as the compiled loops take it, float64[FIRST + number of coefficients].

    >>> packed = packed_model(Garch(omega=0.02, alpha=(0.1,), beta=(0.8,), backcast_percent2=1.0))
    >>> packed[FIRST:].tolist()
    [0.02, 0.1, 0.8]
    """
    p, o, q, power, truncation = 1, 0, 1, 2.0, 0
    coefficients: tuple[float, ...]
    match model:
        case Ewma():
            kind, coefficients = EWMA, (0.0, 1.0 - model.decay, model.decay)
        case Figarch():
            kind, power, truncation = FIGARCH, model.power, model.truncation
            coefficients = (model.omega, model.phi, model.d, model.beta)
        case Har():
            kind, power = HAR, model.scale
            coefficients = (model.constant, model.daily, model.weekly, model.monthly)
        case _:
            p, o, q = len(model.alpha), len(model.gamma), len(model.beta)
            coefficients = (model.omega, *model.alpha, *model.gamma, *model.beta)
            match model:
                case Garch():
                    kind, power = GARCH, model.power
                case Egarch():
                    kind = EGARCH
                case Aparch():
                    kind, power = APARCH, model.delta
    freedom, skew = model.distribution.shape()
    header = (kind, p, o, q, power, model.mean_percent, model.backcast_percent2, truncation, freedom, skew)
    return np.array([*header, *coefficients], dtype=np.float64)


def unpacked_model(packed: NDArray[np.float64]) -> VolatilityModel:
    """Return the model that `packed_model` packed, without its start; zeros may follow the coefficients.

    >>> model = Garch(omega=0.02, alpha=(0.1,), beta=(0.8,), backcast_percent2=1.0)
    >>> unpacked_model(packed_model(model)) == model
    True
    """
    kind, p, o, q = packed[:POWER].astype(np.int64).tolist()
    power, mean, backcast, truncation, freedom, skew = packed[POWER:FIRST].tolist()
    first, *rest = packed[FIRST:].tolist()
    alpha, gamma, beta = tuple(rest[:p]), tuple(rest[p : p + o]), tuple(rest[p + o : p + o + q])
    common = {"mean_percent": mean, "backcast_percent2": backcast, "distribution": _distribution(freedom, skew)}
    if kind == EWMA:
        return Ewma(**common, decay=beta[0])
    if kind == GARCH:
        return Garch(**common, omega=first, alpha=alpha, gamma=gamma, beta=beta, power=power)
    if kind == EGARCH:
        return Egarch(**common, omega=first, alpha=alpha, gamma=gamma, beta=beta)
    if kind == APARCH:
        return Aparch(**common, omega=first, alpha=alpha, gamma=gamma, beta=beta, delta=power)
    if kind == HAR:
        return Har(**common, constant=first, daily=rest[0], weekly=rest[1], monthly=rest[2], scale=power)
    phi, d, beta_1 = rest[:3]
    return Figarch(**common, omega=first, phi=phi, d=d, beta=beta_1, power=power, truncation=int(truncation))


def _distribution(freedom: float, skew: float) -> StandardisedDistribution:
    if math.isinf(freedom):
        return StandardisedDistribution("normal")
    return StandardisedDistribution("skewt" if skew else "t", freedom, skew)
