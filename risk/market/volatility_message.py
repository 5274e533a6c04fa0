"""What is published of a closed bar: its volatility, what may be lost, and how such forecasts have done."""

from risk.back_tests.back_test_figures import back_test_figures, confidence_percent, exceeded_percent
from risk.bars.closed_bars import ClosedBars
from risk.market.market_parameters import ValueAtRiskRules
from risk.market.symbol_risk import BarRisks
from risk.value_at_risk.value_at_risk_step import METHODS
from risk.volatility.annualisation import annualised_volatility_percent
from risk.volatility.volatility_model import VolatilityModel
from risk.volatility.volatility_models import model_name
from schemas.risk_figure import RiskFigure
from schemas.source import Source
from schemas.volatility import Volatility


def volatility_message(
    bars: ClosedBars,
    risks: BarRisks,
    at: int,
    *,
    volatility_id: str,
    model: VolatilityModel,
    rules: ValueAtRiskRules,
    bars_per_year: float,
    source: Source,
    bundle_name: str,
    bundle_version: str,
) -> Volatility:
    """Return the message of the bar `at`; `model` is the one that forecast the bar to come."""
    variances, verdicts = risks.variances, risks.verdicts
    next_variance = float(variances.next_variance_percent2[at])
    return Volatility(
        schema_version=2,
        volatility_id=volatility_id,
        symbol=bars.symbol[at],
        bar_start_ns=int(bars.start_ns[at]),
        bar_end_ns=int(bars.end_ns[at]),
        open=float(bars.open[at]),
        high=float(bars.high[at]),
        low=float(bars.low[at]),
        close=float(bars.close[at]),
        volume=float(bars.volume[at]),
        ticks=int(bars.ticks[at]),
        log_return_percent=float(bars.log_return_percent[at]),
        overnight_return_percent=float(bars.overnight_return_percent[at]),
        first_of_session=bool(bars.first_of_session[at]),
        realised_variance_percent2=float(bars.realised_variance_percent2[at]),
        bipower_variance_percent2=float(bars.bipower_variance_percent2[at]),
        parkinson_variance_percent2=float(bars.parkinson_variance_percent2[at]),
        garman_klass_variance_percent2=float(bars.garman_klass_variance_percent2[at]),
        spread_percent=float(bars.spread_percent[at]),
        late_ticks=int(bars.late[at]),
        outliers=int(bars.skipped_outliers[at]),
        stale_quotes=int(bars.skipped_stale[at]),
        crossed_quotes=int(bars.skipped_crossed[at]),
        missing_sequences=int(bars.missing_sequences[at]),
        model=model_name(model),
        distribution=model.distribution.kind,
        parameters_from_ns=int(risks.parameters_from_ns[at]),
        variance_percent2=float(variances.variance_percent2[at]),
        standardised_residual=float(variances.standardised_residual[at]),
        next_variance_percent2=next_variance,
        ewma_variance_percent2=float(variances.ewma_next_variance_percent2[at]),
        annualised_volatility_percent=annualised_volatility_percent(next_variance, bars_per_year),
        squares_p=float(verdicts.squares_p[at]),
        scale_p=float(verdicts.scale_p[at]),
        model_rejected=bool(verdicts.rejected[at]),
        risk_method=rules.method,
        risk=_risk(risks, at, rules),
        risk_in_force=_risk_in_force(risks, at, rules),
        exceeded_percent=exceeded_percent(risks.back_tests, at, rules.levels),
        back_tests=back_test_figures(risks.back_tests, at, rules.levels),
        source=source,
        bundle_name=bundle_name,
        bundle_version=bundle_version,
    )


def _risk(risks: BarRisks, at: int, rules: ValueAtRiskRules) -> tuple[RiskFigure, ...]:
    values = risks.risk.value_at_risk_percent[at].tolist()
    shortfalls = risks.risk.expected_shortfall_percent[at].tolist()
    return tuple(
        RiskFigure(method, confidence_percent(level), horizon, values[m][v][h], shortfalls[m][v][h])
        for m, method in enumerate(METHODS)
        for v, level in enumerate(rules.levels)
        for h, horizon in enumerate(rules.horizons_bars)
    )


def _risk_in_force(risks: BarRisks, at: int, rules: ValueAtRiskRules) -> tuple[RiskFigure, ...]:
    columns = (risks.next_value_at_risk_percent[at].tolist(), risks.next_expected_shortfall_percent[at].tolist())
    return tuple(
        RiskFigure(rules.method, confidence_percent(level), 1, value, shortfall)
        for level, value, shortfall in zip(rules.levels, *columns, strict=True)
    )
