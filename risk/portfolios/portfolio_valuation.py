"""A portfolio's symbols at the last closes: what they are worth, and what they may lose over the next bars."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.back_tests.back_test_figures import confidence_percent
from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.portfolios.correlation import correlations
from risk.portfolios.joint_residuals import JointResiduals
from risk.portfolios.portfolio_book import Forecast
from risk.portfolios.portfolio_parameters import PortfolioParameters
from risk.portfolios.portfolio_value_at_risk import Tails, historical_tails, marginal_deviations, scaled_tails
from schemas.portfolio_risk import CorrelationKind
from schemas.risk_figure import RiskFigure, RiskMethod

LEAST_SCENARIOS = 250
"""With fewer joint residuals than these there is no filtered historical simulation."""

_LEAST_GROSS = 1e-100
"""Below this a portfolio counts as empty: its numbers are too small to divide by."""

_NORMAL = StandardisedDistribution("normal")


@dataclass(frozen=True, slots=True)
class Valuation:
    """What `value_portfolio` found, named as in `schemas.portfolio_risk.MarketRisk`.

    `forecast` is None for a portfolio in which nothing is priced.
    """

    value: float
    gross_exposure: float
    unpriced: tuple[str, ...]
    correlation: CorrelationKind
    volatility_percent: float
    method: RiskMethod
    risk: tuple[RiskFigure, ...]
    components_percent: dict[str, float]
    forecast: Forecast | None


def value_portfolio(
    symbols: list[str],
    quantities: NDArray[np.float64],
    closes: NDArray[np.float64],
    deviations_percent: NDArray[np.float64],
    slots: NDArray[np.int64],
    joint: JointResiduals,
    parameters: PortfolioParameters,
) -> Valuation:
    """Return what a portfolio is worth and may lose; each column is of length n, in the order of the symbols.

    `closes` has 0 for a symbol that had none yet, which does not count. The value at risk in force, which is tested
    against what comes, is by filtered historical simulation where there are `LEAST_SCENARIOS` joint residuals of the
    symbols, else by the model's distribution. Correlations are DCC where the model knows every symbol, else
    exponentially weighted.
    """
    levels, horizons = parameters.levels, parameters.horizons_bars
    priced = np.flatnonzero(closes > 0.0)
    unpriced = tuple(symbols[at] for at in np.flatnonzero(closes <= 0.0).tolist())
    exposures = quantities[priced] * closes[priced]
    gross = float(np.sum(np.abs(exposures)))
    kind: CorrelationKind = "dcc" if joint.is_trained(slots[priced]) else "ewma"
    if gross < _LEAST_GROSS:
        return Valuation(0.0, 0.0, unpriced, kind, 0.0, "fitted_distribution", (), {}, None)
    deviations = deviations_percent[priced]
    products = joint.dcc if kind == "dcc" else joint.ewma
    deviation, parts = marginal_deviations(exposures, deviations, correlations(products, slots[priced]))
    tails: dict[RiskMethod, Tails] = {
        "normal": scaled_tails(deviation, _NORMAL, levels, horizons),
        "fitted_distribution": scaled_tails(deviation, parameters.correlation.distribution, levels, horizons),
    }
    scenarios = joint.scenarios(slots[priced])
    method: RiskMethod = "fitted_distribution"
    if len(scenarios) >= LEAST_SCENARIOS:
        method = "filtered_historical"
        tails[method] = historical_tails(scenarios, exposures, deviations, levels, horizons)
    shares = np.zeros(len(symbols))
    if deviation > 0.0:
        shares[priced] = parts / deviation
    one_bar = horizons.index(1)
    in_force = 100.0 / gross * np.array(tails[method])[:, :, one_bar]
    normal_99 = 100.0 / gross * float(tails["normal"][0][levels.index(0.99), one_bar])
    return Valuation(
        value=float(np.sum(exposures)),
        gross_exposure=gross,
        unpriced=unpriced,
        correlation=kind,
        volatility_percent=100.0 * deviation / gross,
        method=method,
        risk=tuple(figure for name, found in tails.items() for figure in _figures(name, found, gross, parameters)),
        components_percent={symbols[at]: float(shares[at]) * normal_99 for at in priced.tolist()},
        forecast=Forecast(
            method=method,
            gross_exposure=gross,
            value_at_risk_percent=tuple(in_force[0].tolist()),
            expected_shortfall_percent=tuple(in_force[1].tolist()),
            shares=tuple(shares.tolist()),
        ),
    )


def _figures(method: RiskMethod, tails: Tails, gross: float, parameters: PortfolioParameters) -> list[RiskFigure]:
    return [
        RiskFigure(
            method=method,
            confidence_percent=confidence_percent(level),
            horizon_bars=bars,
            value_at_risk_percent=100.0 * float(tails[0][at, number]) / gross,
            expected_shortfall_percent=100.0 * float(tails[1][at, number]) / gross,
        )
        for at, level in enumerate(parameters.levels)
        for number, bars in enumerate(parameters.horizons_bars)
    ]
