"""From a history of ticks to a market bundle: bars, models of volatility, forecasters, correlations, golden bars."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from risk.bars.bar_builder import BarBuilder
from risk.bars.bar_spec import BarSpecification, BarSpecifications
from risk.bars.closed_bars import ClosedBars
from risk.market.alert_rules import AlertRules
from risk.market.golden_bars import golden_bars, golden_bars_bytes
from risk.market.market_bundle import PARAMETERS_FILE, MarketManifest
from risk.market.market_parameters import MarketParameters, ValueAtRiskRules, market_parameters_bytes
from risk.market.pooled import POOLED
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.portfolio_parameters import PortfolioLimits
from risk.rates.rate_parameters import RateParameters
from risk.value_at_risk.value_at_risk_step import METHODS
from risk.volatility.volatility_model import VolatilityModel
from risk.volatility.volatility_models import VolatilityModels, model_name
from training.bundle_files import write_market_bundle
from training.library_versions import library_versions
from training.market.bar_selection import bars_where
from training.market.correlation_fit import LEAST_BARS, fit_correlations, joint_residuals
from training.market.forecasters import fit_forecasters
from training.market.method_choice import MethodScore, choose_method
from training.market.tick_history import TickHistory
from training.market.volatility_choice import choose_volatility_model
from training.market.volatility_fit import MIN_RETURNS, FitError, ModelOrder, VolatilityFit
from training.market.volatility_graph_files import VolatilityGraphs, volatility_graphs
from training.market.volatility_pool import fit_pooled_model
from training.parity import PARITY_ROWS
from training.rates.factor_levels import factor_levels
from training.rates.rate_history import RateHistory

GOLDEN_BARS = 48
GOLDEN_SYMBOLS = 3
_YEAR_NS = 365.25 * 86_400e9

QUICK_ORDERS = (
    ModelOrder(kind="garch"),
    ModelOrder(kind="garch", distribution="t"),
    ModelOrder(kind="garch", o=1, distribution="t"),
    ModelOrder(kind="garch", o=1, distribution="skewt"),
    ModelOrder(kind="egarch", o=1, distribution="t"),
)
"""The models that are tried for every symbol unless all are asked for: a second or two for thousands of returns."""


@dataclass(frozen=True, slots=True)
class MarketPlan:
    """What to train: how bars are made, and how many of them a year has, None for as many as came in the history.

    `orders` are the volatility models that are tried, `horizons_bars` the horizons of risk, `forecast_bars` that of the
    forecasts, `period` the bars of a season, 0 for none; `networks` tells whether networks are trained too.
    """

    name: str
    bars: BarSpecification
    bars_per_year: float | None
    orders: tuple[ModelOrder, ...] = QUICK_ORDERS
    horizons_bars: tuple[int, ...] = (1, 10)
    forecast_bars: int = 5
    period: int = 0
    networks: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrainedMarket:
    """What training gave: the bundle's folder, its parameters, each symbol's figures, and the scores of the methods."""

    folder: Path
    parameters: MarketParameters
    metrics: dict[str, dict[str, float]]
    methods: tuple[MethodScore, ...]


def train_market(
    ticks: TickHistory,
    plan: MarketPlan,
    *,
    root: Path,
    command: str,
    rates: RateHistory | None = None,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> TrainedMarket:
    """Learn from ticks in order of time, and write the bundle under `root`.

    A symbol with MIN_RETURNS bars has models of its own, if they converge; the others share the pooled ones. The method
    of the value at risk is the one with the least mean quantile loss on the last half of the bars. The factors of the
    curves in `rates` have forecasters of their own too. Raises FitError and
    ForecastFitError where there are too few bars, ParityError where a graph, of volatility or of a forecaster, is not
    its original, and BundleError when the bundle would not open. `on_stage` is told what begins.
    """
    on_stage("bars")
    specifications = BarSpecifications({POOLED: plan.bars})
    bars = BarBuilder(specifications).advance(
        ticks.symbol, ticks.event_time_ns, ticks.bid, ticks.ask, ticks.price, ticks.size, ticks.sequence
    )
    by_symbol = _rows_by_symbol(bars)
    if not by_symbol:
        raise FitError("the ticks close no bar: give more ticks, or shorter bars")
    on_stage("volatility")
    fits = _fit_all(bars, by_symbol, plan.orders)
    returns = [bars.log_return_percent[rows] for rows in by_symbol.values()]
    pooled: VolatilityModel = fit_pooled_model(returns, ModelOrder(kind="garch", distribution="t"))
    models = VolatilityModels({POOLED: pooled, **{symbol: fit.model for symbol, fit in fits.items()}})
    on_stage("graphs of volatility")
    graphs = volatility_graphs(models, bars, by_symbol, seed=plan.seed)
    on_stage("forecasters")
    levels = {symbol: 100.0 * np.log(bars.close[rows]) for symbol, rows in by_symbol.items()}
    if rates is not None:
        levels |= factor_levels(rates, RateParameters())
    forecasts = fit_forecasters(
        levels, horizon_bars=plan.forecast_bars, period=plan.period, networks=plan.networks, seed=plan.seed
    )
    on_stage("method")
    methods = choose_method(models, bars)
    on_stage("correlations")
    parameters = MarketParameters(
        bars=specifications,
        bars_per_year=_bars_per_year(ticks, by_symbol) if plan.bars_per_year is None else plan.bars_per_year,
        volatility=models,
        value_at_risk=ValueAtRiskRules(method=methods[0].method, horizons_bars=plan.horizons_bars),
        forecasters=forecasts.parameters,
        alerts=AlertRules(),
        correlation=_correlations(bars, by_symbol, fits),
        portfolios=PortfolioLimits(),
        rates=RateParameters(),
    )
    on_stage("bundle")
    golden = golden_bars(parameters, forecasts.files, bars_where(bars, _golden_rows(by_symbol)))
    metrics = {symbol: _figures(fit) for symbol, fit in fits.items()}
    manifest = MarketManifest(
        name=plan.name,
        first_ns=int(ticks.event_time_ns[0]),
        end_ns=int(ticks.event_time_ns[-1]) + 1,
        metrics=metrics,
        volatility_graphs=graphs.names,
        notes=_notes(fits, by_symbol, methods, graphs),
        library_versions=library_versions(),
        command=command,
        files={},
    )
    files = {PARAMETERS_FILE: market_parameters_bytes(parameters), **forecasts.files, **graphs.files}
    folder = write_market_bundle(root, manifest, files, golden_bars_bytes(golden))
    return TrainedMarket(folder, parameters, metrics, methods)


def _rows_by_symbol(bars: ClosedBars) -> dict[str, NDArray[np.int64]]:
    names, number = np.unique(np.array(bars.symbol, dtype=np.str_), return_inverse=True)
    return {name: np.flatnonzero(number == at) for at, name in enumerate(names.tolist())}


def _bars_per_year(ticks: TickHistory, by_symbol: Mapping[str, NDArray[np.int64]]) -> float:
    """Return how many bars the median symbol had in each year of the history."""
    years = max(float(ticks.event_time_ns[-1] - ticks.event_time_ns[0]), 1.0) / _YEAR_NS
    return float(np.median([len(rows) for rows in by_symbol.values()])) / years


def _fit_all(
    bars: ClosedBars, by_symbol: Mapping[str, NDArray[np.int64]], orders: tuple[ModelOrder, ...]
) -> dict[str, VolatilityFit]:
    """Return the best fit of each symbol that has bars enough and a fit that converges."""
    fits = {}
    for symbol, rows in by_symbol.items():
        if len(rows) < MIN_RETURNS or symbol == POOLED:
            continue
        try:
            fits[symbol] = choose_volatility_model(
                bars.log_return_percent[rows], bars.realised_variance_percent2[rows], orders
            )[0]
        except FitError:
            # The pooled model stands for it.
            continue
    return fits


def _correlations(
    bars: ClosedBars, by_symbol: Mapping[str, NDArray[np.int64]], fits: Mapping[str, VolatilityFit]
) -> CorrelationModel:
    """Return the correlations of symbols with models of their own, untrained where they have too little in common."""
    ends = {symbol: bars.end_ns[by_symbol[symbol]] for symbol in fits}
    residuals = {symbol: fit.bars.standardised_residual for symbol, fit in fits.items()}
    symbols, joint = joint_residuals(ends, residuals)
    if len(symbols) < 2 or np.count_nonzero((~np.isnan(joint)).sum(axis=1) > 1) < LEAST_BARS:
        return CorrelationModel()
    return fit_correlations(symbols, joint).model


def _golden_rows(by_symbol: Mapping[str, NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return the last bars of some symbols, in the order of the log."""
    chosen = [rows[-GOLDEN_BARS:] for rows in list(by_symbol.values())[:GOLDEN_SYMBOLS]]
    return np.sort(np.concatenate(chosen))


def _figures(fit: VolatilityFit) -> dict[str, float]:
    return {"bars": float(len(fit.bars.variance_percent2)), "log_likelihood": fit.log_likelihood, "bic": fit.bic}


def _notes(
    fits: Mapping[str, VolatilityFit],
    by_symbol: Mapping[str, NDArray[np.int64]],
    methods: tuple[MethodScore, ...],
    graphs: VolatilityGraphs,
) -> tuple[str, ...]:
    named = ((symbol, fit.model) for symbol, fit in fits.items())
    models = "; ".join(f"{symbol}: {model_name(model)} {model.distribution.kind}" for symbol, model in named)
    best = methods[0]
    return (
        f"models by BIC: {models or 'none, all symbols share the pooled one'}",
        f"{len(by_symbol) - len(fits)} of {len(by_symbol)} symbols take the pooled models",
        f"value at risk by {best.method.replace('_', ' ')}: at 99 %, {best.exceedances} exceedances of {best.bars} bars"
        f" (of {len(METHODS)} methods, that of the least mean quantile loss)",
        f"graphs of volatility: on {PARITY_ROWS:,} bars each, no variance is further off the recursion than"
        f" {graphs.difference:.1g} of itself",
    )
