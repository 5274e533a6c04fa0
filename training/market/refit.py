"""When a volatility model is due to be estimated again, and the estimate, from what was published of the bars."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.volatility.volatility_model import Aparch, Egarch, Ewma, Figarch, Garch, Har, VolatilityModel
from schemas.refit import Cause, Refit
from schemas.volatility import Volatility
from training.market.har_fit import fit_har
from training.market.volatility_fit import MIN_RETURNS, ModelOrder, fit_volatility_model


@dataclass(frozen=True, slots=True)
class RefitRules:
    """When to refit: every so many bars of a symbol, or when its residuals reject the model; on the last bars.

    A refit needs `least_bars` since the one before, so that what it is judged by is its own. Raises ValueError for
    fewer bars than a fit needs.

    >>> RefitRules(window_bars=100)
    Traceback (most recent call last):
    ...
    ValueError: window_bars 100: a fit needs at least 500 bars
    """

    every_bars: int = 10_000
    window_bars: int = 2_000
    least_bars: int = 500

    def __post_init__(self) -> None:
        if self.window_bars < MIN_RETURNS:
            raise ValueError(f"window_bars {self.window_bars}: a fit needs at least {MIN_RETURNS} bars")


@dataclass(slots=True)
class SymbolBars:
    """The last bars of a symbol, as they were published, and since when its parameters are in force.

    `asked_ns` is the event time of a refit that was sent and not seen in force yet, 0 for none.
    """

    returns: deque[float]
    realised: deque[float]
    last_end_ns: int = 0
    parameters_from_ns: int = 0
    bars_since: int = 0
    rejected: bool = False
    asked_ns: int = 0


@dataclass(slots=True)
class RefitSchedule:
    """Follows the published bars of all symbols, and tells which refits are due."""

    rules: RefitRules
    symbols: dict[str, SymbolBars] = field(default_factory=dict)

    def take(self, bar: Volatility) -> None:
        """Take up a bar; one that was seen already, as after a restart of a worker, changes nothing."""
        window = self.rules.window_bars
        known = self.symbols.setdefault(bar.symbol, SymbolBars(deque(maxlen=window), deque(maxlen=window)))
        if bar.bar_end_ns <= known.last_end_ns:
            return
        known.returns.append(bar.log_return_percent)
        known.realised.append(bar.realised_variance_percent2)
        known.bars_since = 1 if bar.parameters_from_ns != known.parameters_from_ns else known.bars_since + 1
        known.last_end_ns, known.parameters_from_ns = bar.bar_end_ns, bar.parameters_from_ns
        known.rejected = bar.model_rejected
        if bar.parameters_from_ns >= known.asked_ns:
            known.asked_ns = 0

    def due(self, symbols: Iterable[str]) -> list[tuple[str, Cause]]:
        """Return which of some symbols, of which bars were taken up, are due, and why."""
        found: list[tuple[str, Cause]] = []
        for symbol in symbols:
            known = self.symbols[symbol]
            if known.asked_ns or len(known.returns) < MIN_RETURNS or known.bars_since < self.rules.least_bars:
                continue
            if known.rejected:
                found.append((symbol, "rejected"))
            elif known.bars_since >= self.rules.every_bars:
                found.append((symbol, "schedule"))
        return found

    def refit(self, symbol: str, cause: Cause, former: VolatilityModel, bundle_version: str) -> Refit:
        """Return the refit of a symbol that is due, and note that it was asked for.

        The model has the form of the former one. Raises FitError where it does not converge: the former one stays,
        and is judged anew from here on.
        """
        known = self.symbols[symbol]
        try:
            model = refitted(former, np.array(known.returns), np.array(known.realised))
        except (ValueError, ArithmeticError):
            known.bars_since = 0
            raise
        known.asked_ns = known.last_end_ns
        return Refit(
            schema_version=1,
            symbol=symbol,
            event_time_ns=known.last_end_ns,
            bundle_version=bundle_version,
            cause=cause,
            model=msgspec.to_builtins(model),
        )


def refitted(
    former: VolatilityModel,
    log_returns_percent: NDArray[np.float64],
    realised_variance_percent2: NDArray[np.float64],
) -> VolatilityModel:
    """Return a model of the former one's form, estimated from returns and realised variances float64[n].

    It has no start: it goes on from the state that the symbol is in. Raises FitError where it does not converge.
    """
    kind = former.distribution.kind
    if isinstance(former, Har):
        fit = fit_har(log_returns_percent, realised_variance_percent2, kind)
    else:
        fit = fit_volatility_model(log_returns_percent, order_of(former))
    return msgspec.structs.replace(fit.model, start=None)


def order_of(model: Ewma | Garch | Egarch | Aparch | Figarch) -> ModelOrder:
    """Return what has to be estimated to get a model of this form.

    >>> order_of(Garch(omega=0.02, alpha=(0.1,), gamma=(0.1,), beta=(0.8,), backcast_percent2=1.0))
    ModelOrder(kind='garch', p=1, o=1, q=1, power=2.0, truncation=1000, distribution='normal')
    """
    distribution: StandardisedDistribution = model.distribution
    match model:
        case Ewma():
            return ModelOrder(kind="ewma", distribution=distribution.kind)
        case Figarch():
            return ModelOrder(
                kind="figarch",
                p=int(model.phi != 0.0),
                q=int(model.beta != 0.0),
                power=model.power,
                truncation=model.truncation,
                distribution=distribution.kind,
            )
        case Garch():
            power, kind = model.power, "garch"
        case Egarch():
            power, kind = 2.0, "egarch"
        case Aparch():
            power, kind = 2.0, "aparch"
    return ModelOrder(
        kind=kind,  # type: ignore[arg-type]  # one of the three above
        p=len(model.alpha),
        o=len(model.gamma),
        q=len(model.beta),
        power=power,
        distribution=distribution.kind,
    )
