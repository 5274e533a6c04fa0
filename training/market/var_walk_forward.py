"""Values at risk of a past series as they would have been forecast: models are fitted anew every few bars, on the past.

No bar's forecast depends on its own return or on a later one. Variance and values at risk come from the very steps that
a worker runs, `risk.volatility.conditional_variance` and `risk.value_at_risk.value_at_risk_step`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.back_tests.quantile_loss import mean_quantile_loss
from risk.distributions.standardised_distribution import StandardisedDistribution, standardised_quantile
from risk.market.pooled import POOLED
from risk.value_at_risk.loss import loss_percent
from risk.value_at_risk.recalibration import LEARNING_RATE, Recalibration
from risk.value_at_risk.value_at_risk_step import METHODS, RESIDUALS, ValueAtRisk, ValuesAtRisk
from risk.volatility.conditional_variance import ConditionalVariance, ConditionalVariances
from risk.volatility.volatility_models import VolatilityModels
from training.market.volatility_fit import MIN_RETURNS, FitError, ModelOrder, VolatilityFit, fit_volatility_model

_FITTED, _FILTERED = METHODS.index("fitted_distribution"), METHODS.index("filtered_historical")
_DISTRIBUTIONS = {"normal": "normal", "t": "t", "skewt": "skewed t"}

GJR_SKEWED = ModelOrder(kind="garch", o=1, distribution="skewt")
"""GJR-GARCH with skewed t residuals, of which GARCH, Student's t and the normal are special cases."""

EVERY_ORDER = (
    GJR_SKEWED,
    *(
        order
        for lags in (ModelOrder(kind="garch"), ModelOrder(kind="garch", o=1), ModelOrder(kind="egarch", o=1))
        for distribution in _DISTRIBUTIONS
        if (order := msgspec.structs.replace(lags, distribution=distribution)) != GJR_SKEWED
    ),
)
"""GARCH, GJR-GARCH and EGARCH of lags 1, each with residuals that are normal, of Student's t and of the skewed t."""


class WalkForwardError(ValueError):
    """A series or a plan that cannot be walked through: the message names the field, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class WalkForwardPlan:
    """How to walk: the first forecast is of the bar after `first_bars`, and models are fitted anew every `refit_bars`.

    They are fitted on all bars so far, or on the last `window_bars`. `levels` rise. Raises WalkForwardError for a plan
    that cannot be.
    """

    models: tuple[ModelOrder, ...] = EVERY_ORDER
    levels: tuple[float, ...] = (0.95, 0.975, 0.99)
    first_bars: int = MIN_RETURNS
    refit_bars: int = 21
    window_bars: int | None = None

    def __post_init__(self) -> None:
        if not self.models:
            raise WalkForwardError("models: is empty; give at least one")
        if not self.levels or list(self.levels) != sorted(set(self.levels)):
            raise WalkForwardError(f"levels {self.levels}: give one or more that rise, such as (0.95, 0.99)")
        if self.refit_bars < 1:
            raise WalkForwardError(f"refit_bars {self.refit_bars}: give at least 1")
        least = min(self.first_bars, self.first_bars if self.window_bars is None else self.window_bars)
        if least < MIN_RETURNS:
            raise WalkForwardError(f"first_bars, window_bars {least}: no model is fitted on fewer than {MIN_RETURNS}")


@dataclass(frozen=True, slots=True)
class RiskForecasts:
    """The forecasts of one way to value at risk: float64[n, levels] each, a loss is positive, in percent of the price.

    Entry k belongs to return `first_bars + k` of the series.
    """

    name: str
    value_at_risk_percent: NDArray[np.float64]
    expected_shortfall_percent: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ModelForecasts:
    """What one model forecast for each of n bars, and the two ways to value at risk that rest on it.

    `mean_percent`, `variance_percent2` and the standardised residual `z` are float64[n]. `fitted` takes its quantiles
    from the model's distribution, `filtered` from the residuals before the bar (filtered historical simulation).
    `distributions` holds that of each fit, and `kept_fits` counts the fits that did not converge, in whose place the
    model before stayed.
    """

    name: str
    mean_percent: NDArray[np.float64]
    variance_percent2: NDArray[np.float64]
    z: NDArray[np.float64]
    fitted: RiskForecasts
    filtered: RiskForecasts
    distributions: tuple[StandardisedDistribution, ...]
    kept_fits: int

    def expected_quantiles(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the distributions expect of z at probabilities float64[m], as the mean over all fits."""
        table = [
            [standardised_quantile(float(one), *distribution.shape()) for one in probability]
            for distribution in self.distributions
        ]
        return np.asarray(np.mean(table, axis=0))


def model_order_name(order: ModelOrder) -> str:
    """Return what is estimated as it is read in tables.

    >>> [model_order_name(order) for order in EVERY_ORDER[:3]]
    ['GJR-GARCH, skewed t', 'GARCH, normal', 'GARCH, t']
    """
    family = "GJR-GARCH" if order.kind == "garch" and order.o else order.kind.upper()
    return f"{family}, {_DISTRIBUTIONS[order.distribution]}"


def fits(bars: int, plan: WalkForwardPlan) -> int:
    """Return how many models will be fitted on a series of so many returns.

    >>> fits(542, WalkForwardPlan(models=EVERY_ORDER[:2]))
    4
    """
    return len(plan.models) * len(range(plan.first_bars, bars, plan.refit_bars))


def walk_forward(
    log_return_percent: NDArray[np.float64], plan: WalkForwardPlan, on_fit: Callable[[], None] = lambda: None
) -> Iterator[ModelForecasts]:
    """Yield the forecasts of each model of the plan, in its order, for log returns float64[n] in percent.

    Equal returns give equal forecasts. Raises WalkForwardError where there are too few returns, where one is not
    finite, and where the first fit of a model does not converge. `on_fit` is called after each fit.
    """
    if len(log_return_percent) <= plan.first_bars:
        raise WalkForwardError(
            f"log_return_percent: has {len(log_return_percent)} returns, and {plan.first_bars} are needed to begin"
            " with; give a longer series, or begin with fewer"
        )
    wrong = np.flatnonzero(~np.isfinite(log_return_percent))
    if len(wrong):
        raise WalkForwardError(f"log_return_percent: number {wrong[0]} is not finite; drop or correct its price")
    for order in plan.models:
        yield _walk(log_return_percent, order, plan, on_fit)


def recalibrated(
    way: RiskForecasts, loss: NDArray[np.float64], levels: Sequence[float], rate: float = LEARNING_RATE
) -> RiskForecasts:
    """Return a way's forecasts as their own exceedances teach them, by the step that a worker runs.

    See `risk.value_at_risk.recalibration`. `loss` float64[n] is in percent of the price; `levels` rise.
    """
    # The step takes a bar's loss with the forecast for the bar after it. Before the first forecast no loss counts.
    found = Recalibration(levels, rate).advance(
        [POOLED] * len(loss), np.roll(loss, 1), way.value_at_risk_percent, way.expected_shortfall_percent
    )
    return RiskForecasts(
        f"{way.name}, learning from exceedances",
        found.next_value_at_risk_percent,
        found.next_expected_shortfall_percent,
    )


def most_cautious(ways: Sequence[RiskForecasts], name: str = "most cautious") -> RiskForecasts:
    """Return the highest value at risk and the highest expected shortfall of several ways, bar by bar.

    It is the supremum of McAleer, Jimenez-Martin and Perez-Amaral, "International evidence on GFC-robust forecasts for
    risk management under the Basel accord", Journal of Forecasting 32 (2013), and chooses nothing with hindsight.
    """
    return RiskForecasts(
        name,
        np.max([one.value_at_risk_percent for one in ways], axis=0),
        np.max([one.expected_shortfall_percent for one in ways], axis=0),
    )


def least_loss_so_far(
    ways: Sequence[RiskForecasts],
    loss: NDArray[np.float64],
    levels: Sequence[float],
    every_bars: int,
    name: str = "the one of least loss so far",
) -> RiskForecasts:
    """Return the forecasts of the way that had the least quantile loss before, chosen anew every so many bars.

    `loss` float64[n] is in percent of the price. Each level is chosen for by itself; the first way begins.
    """
    value_at_risk = ways[0].value_at_risk_percent.copy()
    shortfall = ways[0].expected_shortfall_percent.copy()
    for at, level in enumerate(levels):
        columns = [one.value_at_risk_percent[:, at] for one in ways]
        for start in range(every_bars, len(loss), every_bars):
            so_far = [mean_quantile_loss(loss[:start], column[:start], level) for column in columns]
            best = ways[int(np.argmin(so_far))]
            block = slice(start, start + every_bars)
            value_at_risk[block, at] = best.value_at_risk_percent[block, at]
            shortfall[block, at] = best.expected_shortfall_percent[block, at]
    return RiskForecasts(name, value_at_risk, shortfall)


@njit(cache=True)
def losses_percent(log_return_percent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the loss of a long position at each log return, in percent of the price before: float64[n].

    >>> losses_percent(np.array([-1.0])).round(6).tolist()
    [0.995017]
    """
    found = np.empty(len(log_return_percent))
    for at in range(len(log_return_percent)):
        found[at] = loss_percent(log_return_percent[at])
    return found


def _walk(
    returns: NDArray[np.float64], order: ModelOrder, plan: WalkForwardPlan, on_fit: Callable[[], None]
) -> ModelForecasts:
    count, levels = len(returns) - plan.first_bars, len(plan.levels)
    mean, variance, z = np.empty(count), np.empty(count), np.empty(count)
    value_at_risk, shortfall = np.empty((2, count, levels)), np.empty((2, count, levels))
    fitted: list[tuple[int, VolatilityFit]] = []
    kept = 0
    for start in range(plan.first_bars, len(returns), plan.refit_bars):
        stop = min(start + plan.refit_bars, len(returns))
        begin = 0 if plan.window_bars is None else max(0, start - plan.window_bars)
        try:
            fitted.append((start, fit_volatility_model(returns[begin:start], order)))
        except FitError as wrong:
            if not fitted:
                raise WalkForwardError(
                    f"{model_order_name(order)}: {wrong}; begin with more bars, or leave the model out"
                ) from None
            kept += 1
        ended, fit = fitted[-1]
        step = ConditionalVariance(VolatilityModels({POOLED: fit.model}))
        found = step.advance([POOLED] * (stop - ended), returns[ended:stop], np.zeros(stop - ended))
        block, bars = slice(start - plan.first_bars, stop - plan.first_bars), stop - start
        mean[block], variance[block] = found.mean_percent[-bars:], found.variance_percent2[-bars:]
        z[block] = found.standardised_residual[-bars:]
        # A bar's forecasts are what the bar before it gave: neither its residual nor a later one is among them.
        forecasts = _risks(fit, found, plan.levels)
        for at, method in enumerate((_FITTED, _FILTERED)):
            value_at_risk[at, block] = forecasts.value_at_risk_percent[-bars:, method, :, 0]
            shortfall[at, block] = forecasts.expected_shortfall_percent[-bars:, method, :, 0]
        on_fit()
    name = model_order_name(order)
    return ModelForecasts(
        name,
        mean,
        variance,
        z,
        RiskForecasts(name, value_at_risk[0], shortfall[0]),
        RiskForecasts(f"{name}, filtered historical", value_at_risk[1], shortfall[1]),
        tuple(fit.model.distribution for _, fit in fitted),
        kept,
    )


def _risks(fit: VolatilityFit, found: ConditionalVariances, levels: tuple[float, ...]) -> ValuesAtRisk:
    """Return what was forecast for each of the bars found, by the step that takes up the residuals before them."""
    before = fit.bars

    def column(past: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([past[-RESIDUALS:], new[:-1]])

    z = column(before.standardised_residual, found.standardised_residual)
    return ValueAtRisk({POOLED: fit.model.distribution}, levels, (1,)).advance(
        [POOLED] * len(z),
        z,
        column(before.mean_percent, found.mean_percent),
        column(before.next_variance_percent2, found.next_variance_percent2)[:, None],
        _nothing_simulated,
    )


def _nothing_simulated(symbol: Sequence[str], innovations: NDArray[np.float64]) -> NDArray[np.float64]:
    raise AssertionError("the next bar alone is forecast, which needs no simulation")
