"""Fits a volatility model to the returns of one symbol, so that a stream can go on where they end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
from arch.univariate import (
    APARCH,
    EGARCH,
    FIGARCH,
    GARCH,
    ConstantMean,
    EWMAVariance,
    Normal,
    SkewStudent,
    StudentsT,
    ZeroMean,
)
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.market.pooled import POOLED
from risk.volatility.conditional_variance import ConditionalVariance, ConditionalVariances
from risk.volatility.training_end import TrainingEnd
from risk.volatility.volatility_model import Aparch, Egarch, Ewma, Figarch, Garch, Har, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels, bars_back

MIN_RETURNS = 500
"""Estimates of GARCH on shorter samples are far off and biased (Hwang and Valls Pereira, "Small sample properties of
GARCH estimates and persistence", European Journal of Finance 12, 2006, advise at least 500)."""

DISTRIBUTIONS: dict[str, Any] = {"normal": Normal, "t": StudentsT, "skewt": SkewStudent}


_TOLERANCES = (1e-6, 1e-5)
"""When the optimiser may stop: arch's own choice; then coarser, for likelihoods so flat that no step improves them."""


class FitError(ValueError):
    """No parameters could be found; the message says of what, and why."""


class ModelOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is to be estimated: a kind of model, its lags, and the distribution of its standardised residuals.

    `p`, `o` and `q` count the lags of residuals, of negative residuals and of variances; FIGARCH takes 0 or 1 for p and
    q, for its phi and beta. `power` is for "garch" and "figarch". EWMA has the decay of RiskMetrics.
    """

    kind: Literal["ewma", "garch", "egarch", "aparch", "figarch"]
    p: int = 1
    o: int = 0
    q: int = 1
    power: float = 2.0
    truncation: int = 1000
    distribution: Literal["normal", "t", "skewt"] = "normal"


@dataclass(frozen=True, slots=True)
class VolatilityFit:
    """A fitted model, with its start, and how well it fits n returns.

    `log_likelihood` is that of the returns in percent; `bic` is Schwarz's criterion, of which the least is the best
    (Schwarz, "Estimating the dimension of a model", Annals of Statistics 6, 1978). `bars` are what the stream gives for
    the returns.
    """

    model: VolatilityModel
    log_likelihood: float
    estimated: int
    bars: ConditionalVariances

    @property
    def bic(self) -> float:
        """Return Schwarz's criterion."""
        return -2.0 * self.log_likelihood + self.estimated * float(np.log(len(self.bars.variance_percent2)))


def fit_volatility_model(log_returns_percent: NDArray[np.float64], order: ModelOrder) -> VolatilityFit:
    """Return the maximum likelihood fit of returns float64[n], with a constant mean (none for EWMA).

    The backcast is that of `arch`. Where the optimiser gets stuck it begins again elsewhere: at a bound such as
    alpha + beta = 1, where returns of minutes like to be, a last bit can make the difference. Raises FitError for fewer
    than MIN_RETURNS, for returns that do not move, and when it does not converge from anywhere.

    >>> returns = np.random.default_rng(0).standard_normal(600)
    >>> fit = fit_volatility_model(returns, ModelOrder(kind="ewma"))
    >>> fit.model.decay, len(fit.model.start.residuals_percent)
    (0.94, 1)
    """
    count = len(log_returns_percent)
    if count < MIN_RETURNS:
        raise FitError(f"{count} returns are too few to fit {order.kind}, {MIN_RETURNS} are needed: give more quotes")
    # Returns of a minute are too small for the optimiser's steps: it is given returns of deviation 1.
    deviation = float(np.std(log_returns_percent))
    if not deviation > 0.0:
        raise FitError(f"{count} returns are all {log_returns_percent[0]}: a price that never moves has no volatility")
    scaled = log_returns_percent / deviation
    arch_model = _arch_model(scaled, order)
    backcast = arch_model.volatility.backcast(scaled - (0.0 if order.kind == "ewma" else scaled.mean()))
    said = "it was not tried"
    attempts = [(tolerance, start) for tolerance in _TOLERANCES for start in _starts(order)]
    for tolerance, start in attempts:
        result = arch_model.fit(disp="off", show_warning=False, starting_values=start, options={"ftol": tolerance})
        said = f"flag {result.convergence_flag}"
        if result.convergence_flag != 0 or not np.isfinite(result.loglikelihood):
            continue
        try:
            model = _unscaled(result.params.to_numpy(dtype=np.float64), order, deviation, _variance(backcast, order))
        except ValueError as error:
            said = str(error)
            continue
        return fit_of(model, log_returns_percent, None, len(result.params))
    raise FitError(f"{order.kind} of {count} returns does not converge ({said}): give more quotes, or longer bars")


def fit_of(
    model: VolatilityModel,
    log_returns_percent: NDArray[np.float64],
    realised_variance_percent2: NDArray[np.float64] | None,
    estimated: int,
) -> VolatilityFit:
    """Return how a model of so many estimated parameters fits returns float64[n], and the model with their end.

    The very step of the stream takes them, so the likelihood is that of the model as it will be used.
    """
    count = len(log_returns_percent)
    realised = np.zeros(count) if realised_variance_percent2 is None else realised_variance_percent2
    step = ConditionalVariance(VolatilityModels({POOLED: model}))
    bars = step.advance([POOLED] * count, log_returns_percent, realised)
    last = slice(max(0, count - bars_back(model)), None)
    end = TrainingEnd(
        residuals_percent=tuple(bars.residual_percent[last].tolist()),
        variances_percent2=tuple(bars.variance_percent2[last].tolist()),
        ewma_variance_percent2=float(bars.ewma_next_variance_percent2[-1]),
        realised_variances_percent2=tuple(realised[last].tolist()) if isinstance(model, Har) else (),
    )
    law = model.distribution
    shape = {"normal": (), "t": law.shape()[:1], "skewt": law.shape()}[law.kind]
    likelihood = DISTRIBUTIONS[law.kind]().loglikelihood(np.array(shape), bars.residual_percent, bars.variance_percent2)
    return VolatilityFit(msgspec.structs.replace(model, start=end), float(likelihood), estimated, bars)


def _arch_model(returns: NDArray[np.float64], order: ModelOrder) -> Any:
    """Return arch's model of an order."""
    distribution = DISTRIBUTIONS[order.distribution]()
    if order.kind == "ewma":
        return ZeroMean(returns, volatility=EWMAVariance(), distribution=distribution, rescale=False)
    process: Any
    match order.kind:
        case "garch":
            process = GARCH(order.p, order.o, order.q, power=order.power)
        case "egarch":
            process = EGARCH(order.p, order.o, order.q)
        case "aparch":
            process = APARCH(order.p, order.o, order.q)
        case "figarch":
            process = FIGARCH(order.p, order.q, order.power, order.truncation)
    return ConstantMean(returns, volatility=process, distribution=distribution, rescale=False)


def _starts(order: ModelOrder) -> Iterator[NDArray[np.float64] | None]:
    """Yield where the optimiser begins, for returns of deviation 1: None is arch's own choice."""
    yield None
    shape = {"normal": (), "t": (8.0,), "skewt": (8.0, 0.0)}[order.distribution]
    p, o, q = order.p, order.o, order.q

    def lags(number: int, total: float) -> tuple[float, ...]:
        return (total / number,) * number if number else ()

    match order.kind:
        case "garch":
            for alpha, gamma, beta in ((0.05, 0.04, 0.9), (0.1, 0.05, 0.4), (0.1, 0.05, 0.8), (0.02, 0.1, 0.9)):
                omega = 1.0 - alpha - (gamma / 2 if o else 0.0) - beta
                yield np.array([0.0, omega, *lags(p, alpha), *lags(o, gamma), *lags(q, beta), *shape])
        case "egarch":
            for alpha, gamma, beta in ((0.1, -0.05, 0.95), (0.2, -0.1, 0.8), (0.05, 0.0, 0.99)):
                yield np.array([0.0, 0.0, *lags(p, alpha), *lags(o, gamma), *lags(q, beta), *shape])
        case "aparch":
            for alpha, gamma, beta, delta in ((0.05, 0.3, 0.9, 1.5), (0.1, 0.1, 0.8, 2.0), (0.08, 0.5, 0.9, 1.0)):
                omega = 1.0 - alpha - beta
                yield np.array([0.0, omega, *lags(p, alpha), *lags(o, gamma * o), *lags(q, beta), delta, *shape])
        case "figarch":
            for phi, d, beta in ((0.1, 0.4, 0.3), (0.2, 0.3, 0.4), (0.05, 0.6, 0.5)):
                yield np.array([0.0, 0.1, *lags(p, phi), d, *lags(q, beta), *shape])


def _variance(backcast: float, order: ModelOrder) -> float:
    """Return arch's backcast, which is of the power or the logarithm that the model sums, as a variance."""
    if order.kind == "egarch":
        return float(np.exp(backcast))
    return float(backcast) if order.kind in ("ewma", "aparch") else float(backcast ** (2.0 / order.power))


def _unscaled(parameters: NDArray[np.float64], order: ModelOrder, deviation: float, backcast: float) -> VolatilityModel:
    """Return the model of parameters that were fitted to returns of deviation 1."""
    values = parameters.tolist()
    shapes = {"normal": 0, "t": 1, "skewt": 2}[order.distribution]
    values, shape = values[: len(values) - shapes], values[len(values) - shapes :]
    common: dict[str, Any] = {
        "backcast_percent2": backcast * deviation**2,
        "distribution": StandardisedDistribution(order.distribution, *shape),
    }
    if order.kind == "ewma":
        return Ewma(**common)
    common["mean_percent"] = values.pop(0) * deviation
    omega = values.pop(0)
    if order.kind == "figarch":
        phi = values.pop(0) if order.p else 0.0
        d = min(max(values.pop(0), 0.0), 1.0)
        beta = values.pop(0) if order.q else 0.0
        phi = min(max(phi, 0.0), 0.5 * (1.0 - d))
        beta = min(max(beta, 0.0), d + phi)
        omega *= deviation**order.power
        return Figarch(**common, omega=omega, phi=phi, d=d, beta=beta, power=order.power, truncation=order.truncation)
    alpha = tuple(values[: order.p])
    gamma = tuple(values[order.p : order.p + order.o])
    beta_lags = tuple(values[order.p + order.o : order.p + order.o + order.q])
    if order.kind == "egarch":
        beta_lags = _within_one((), (), beta_lags)
        omega += 2.0 * float(np.log(deviation)) * (1.0 - sum(beta_lags))
        return Egarch(**common, omega=omega, alpha=alpha, gamma=gamma, beta=beta_lags)
    alpha = tuple(max(one, 0.0) for one in alpha)
    if order.kind == "aparch":
        delta = values[-1]
        beta_lags = _within_one(alpha, (), beta_lags)
        omega *= deviation**delta
        return Aparch(**common, omega=omega, alpha=alpha, gamma=gamma, beta=beta_lags, delta=delta)
    floors = (*alpha, *[0.0] * len(gamma))
    gamma = tuple(max(one, -floor) for one, floor in zip(gamma, floors, strict=False))
    beta_lags = _within_one(alpha, gamma, beta_lags)
    omega *= deviation**order.power
    return Garch(**common, omega=omega, alpha=alpha, gamma=gamma, beta=beta_lags, power=order.power)


def _within_one(alpha: tuple[float, ...], gamma: tuple[float, ...], beta: tuple[float, ...]) -> tuple[float, ...]:
    """Return betas not below 0, of which the greatest is lowered by the rounding that took the sum above 1.

    The optimiser holds its constraints only up to rounding.
    """
    betas = [max(one, 0.0) for one in beta]
    while betas and 1.0 < sum(alpha) + 0.5 * sum(gamma) + sum(betas) < 1.0 + 1e-6:
        greatest = int(np.argmax(betas))
        excess = sum(alpha) + 0.5 * sum(gamma) + sum(betas) - 1.0
        betas[greatest] -= max(excess, float(np.spacing(betas[greatest])))
    return tuple(betas)
