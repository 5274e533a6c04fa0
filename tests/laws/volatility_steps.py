"""The step of conditional variances, with bars for it: models of every kind, and one that is installed on the way."""

from collections.abc import Callable

import numpy as np
from steps import Events, Step, rows_of

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.training_end import TrainingEnd
from risk.volatility.volatility_model import Aparch, Egarch, Ewma, Figarch, Garch, Har, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels

_END = TrainingEnd((-1.0, 0.5, 2.0), (1.0, 1.2, 1.1), 1.05)
_SETS: dict[str, dict[str, VolatilityModel]] = {
    "one lag": {
        "*": Garch(omega=0.02, alpha=(0.1,), beta=(0.85,), backcast_percent2=0.5),
        "s0": Egarch(omega=0.01, alpha=(0.1,), gamma=(-0.1,), beta=(0.98,), backcast_percent2=0.5, start=_END),
        "s1": Ewma(backcast_percent2=0.1, mean_percent=0.01),
    },
    "many lags": {
        "*": Aparch(omega=0.02, alpha=(0.1,), gamma=(0.5,), beta=(0.85,), delta=1.2, backcast_percent2=0.5),
        "s0": Figarch(omega=0.02, phi=0.1, d=0.4, beta=0.3, truncation=50, backcast_percent2=0.5, start=_END),
        "s1": Har(constant=0.02, daily=0.4, weekly=0.3, monthly=0.2, backcast_percent2=0.5),
        "s2": Garch(
            omega=0.02,
            alpha=(0.03, 0.02),
            gamma=(0.1, 0.02, 0.01),
            beta=(0.3, 0.5),
            power=1.0,
            backcast_percent2=0.5,
            distribution=StandardisedDistribution("skewt", 5.0, -0.2),
        ),
    },
}


def _bars(draw: np.random.Generator, n: int) -> Events:
    rare = draw.choice([0.0, 1e4, -1e4, 1e-9], n)
    returns = np.where(draw.random(n) < 0.95, draw.standard_t(3, n), rare)
    hot, cold = draw.integers(0, 3, n), draw.integers(3, 3 + max(1, n // 5), n)
    return {
        "symbol": [f"s{key}" for key in np.where(draw.random(n) < 0.8, hot, cold)],
        "log_return_percent": returns,
        "realised_variance_percent2": np.where(draw.random(n) < 0.9, returns**2 * draw.random(n), 0.0),
    }


def _columns(step: ConditionalVariance, events: Events) -> list[bytes]:
    bars = step.advance(**events)
    return rows_of(np.column_stack([getattr(bars, name) for name in bars.__slots__]))


def _fresh(models: dict[str, VolatilityModel]) -> Callable[[], ConditionalVariance]:
    return lambda: ConditionalVariance(VolatilityModels(models))


STEPS = tuple(
    Step(f"conditional variance, {name}", _fresh(models), _columns, _bars, "symbol") for name, models in _SETS.items()
)
