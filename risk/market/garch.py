"""GARCH(1,1) with a constant mean: its parameters, their stored form `garch.json`, and its recursion.

Returns are log returns in percent, so variances are in percent squared. The recursion is the one of the
library `arch`, operation for operation: with the same parameters and the same backcast it gives the same
bits.

Bollerslev, "Generalized autoregressive conditional heteroskedasticity", Journal of Econometrics 31 (1986).
"""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numba import njit
from numpy.typing import NDArray

POOLED = "*"
"""The name under which stand the parameters of every symbol that has none of its own."""

_Positive = Annotated[float, Meta(gt=0.0)]
_NotNegative = Annotated[float, Meta(ge=0.0)]


class GarchParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters of one symbol's returns per bar.

    `mu` is the mean in percent; `omega`, `backcast` and `last_variance` are in percent squared. `backcast`
    stands for the variance before the first return; `last_variance` is the forecast after the last return of
    training. Raises ValueError where the variance would grow without bound.

    >>> GarchParameters(mu=0.05, omega=0.02, alpha=0.2, beta=0.9, backcast=1.0, last_variance=1.0)
    Traceback (most recent call last):
    ...
    ValueError: alpha 0.2 + beta 0.9 exceeds 1: the variance would grow without bound
    """

    mu: float
    omega: _Positive
    alpha: _NotNegative
    beta: _NotNegative
    backcast: _Positive
    last_variance: _Positive

    def __post_init__(self) -> None:
        if self.alpha + self.beta > 1.0:
            raise ValueError(f"alpha {self.alpha} + beta {self.beta} exceeds 1: the variance would grow without bound")


class VolatilityParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The contents of `garch.json`: the length of a bar, and the parameters by symbol.

    `symbols` always holds the pooled entry "*", for symbols that training did not see. `bars_per_year`
    annualises; `ewma_lambda` is the decay of the exponentially weighted variance. Raises ValueError without a
    pooled entry.
    """

    bar_ns: Annotated[int, Meta(gt=0, le=2**62)]
    ewma_lambda: Annotated[float, Meta(gt=0.0, lt=1.0)]
    bars_per_year: _Positive
    symbols: dict[str, GarchParameters]

    def __post_init__(self) -> None:
        if POOLED not in self.symbols:
            raise ValueError(f'symbols {sorted(self.symbols)} lack the pooled entry "{POOLED}"')


def read_volatility_parameters(content: bytes) -> VolatilityParameters:
    """Return the parameters in a `garch.json`; raises ValueError, naming the field, for anything else."""
    try:
        return msgspec.json.decode(content, type=VolatilityParameters)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def volatility_parameters_bytes(parameters: VolatilityParameters) -> bytes:
    """Return the parameters as indented JSON with sorted keys: equal parameters give equal bytes."""
    encoded = msgspec.json.encode(parameters, order="deterministic")
    return msgspec.json.format(encoded, indent=2) + b"\n"


@njit(cache=True)
def first_variance(omega: float, alpha: float, beta: float, backcast: float) -> float:
    """Return the forecast of the first return's variance: the backcast stands for what came before.

    >>> round(first_variance(0.0175, 0.1022, 0.8852, 1.0), 12)
    1.0049
    """
    return omega + alpha * backcast + beta * backcast


@njit(cache=True)
def next_variance(variance: float, residual: float, omega: float, alpha: float, beta: float) -> float:
    """Return the forecast of the next return's variance, after a return `residual` above the mean.

    >>> round(next_variance(1.0, -2.0, 0.0175, 0.1022, 0.8852), 12)
    1.3115
    """
    return omega + alpha * (residual * residual) + beta * variance


@njit(cache=True)
def conditional_variances(
    returns: NDArray[np.float64], mu: float, omega: float, alpha: float, beta: float, backcast: float
) -> NDArray[np.float64]:
    """Return the forecast of each return's variance, and then of the return to come: float64[n + 1].

    >>> conditional_variances(np.array([2.0]), 0.0, 0.0175, 0.1022, 0.8852, 1.0).round(12).tolist()
    [1.0049, 1.31583748]
    """
    variances = np.empty(len(returns) + 1)
    variances[0] = first_variance(omega, alpha, beta, backcast)
    for at in range(len(returns)):
        variances[at + 1] = next_variance(variances[at], returns[at] - mu, omega, alpha, beta)
    return variances
