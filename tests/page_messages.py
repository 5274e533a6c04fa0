"""Alerts, bars and portfolio risks as workers publish them, made up for the page's tests."""

from collections.abc import Sequence

from schemas.alert import Alert
from schemas.back_test import BackTestFigure
from schemas.encoding import encode
from schemas.portfolio_risk import MarketRisk, PortfolioRisk
from schemas.reason import Reason
from schemas.risk_figure import RiskFigure
from schemas.severity import Severity
from schemas.source import Source
from schemas.volatility import Volatility
from stream.page.topic_tails import Record

START_NS = 1_767_225_600_000_000_000
MINUTE_NS = 60_000_000_000

_VALUES = {
    "amount": (412.0, 37.2, 0.41),
    "customer_amount_ratio": (5.17, 1.0, 0.22),
    "customer_count_1d": (7.0, 1.93, 0.09),
    "merchant_fraud_rate_7d": (0.11, 0.01, 0.05),
    "is_night": (1.0, 0.06, -0.03),
    "customer_mean_amount_30d": (80.0, 38.1, -0.06),
}
"""By feature: its value, what is usual, and what it adds to the score."""


def alert(
    number: int, entity_id: str | None = None, severity: Severity = "medium", code: str = "AMOUNT_UNUSUAL"
) -> Alert:
    """Return an alert on a customer, that of `number` unless another is named."""
    contributions = {name: adds for name, (_, _, adds) in _VALUES.items()}
    usual_score = 0.02
    score = usual_score + sum(contributions.values())
    return Alert(
        schema_version=1,
        alert_id=f"{number:032x}",
        event_id=f"t{number:08}",
        entity_kind="customer",
        entity_id=f"customer-{number:05}" if entity_id is None else entity_id,
        event_time_ns=START_NS + number * MINUTE_NS,
        source=Source("transactions", 0, number),
        score=score,
        threshold=0.5,
        outcome="decline" if severity in ("high", "critical") else "review",
        severity=severity,
        reasons=(
            Reason(code, "amount", 412.0, 37.2, 0.41, "amount 412.00 EUR, usual for this customer 37.20"),
            Reason("CUSTOMER_VELOCITY_1D", "customer_count_1d", 7.0, 1.93, 0.09, "payments in 1 day 7, usual 1.93"),
        ),
        bundle_name="small",
        bundle_version="0123456789ab",
        usual_score=usual_score,
        contributions=contributions,
        features={name: value for name, (value, _, _) in _VALUES.items()},
    )


def bar(number: int, symbol: str = "EURUSD", *, exceeded: bool = False) -> Volatility:
    """Return a symbol's bar of a minute."""
    wave = ((number * 7919) % 200 - 100) / 100.0
    start = START_NS + number * MINUTE_NS
    loss = 0.09 if exceeded else -0.03 * wave
    figures = tuple(
        RiskFigure("normal", confidence, 1, value, 1.2 * value) for confidence, value in ((95.0, 0.04), (99.0, 0.06))
    )
    return Volatility(
        schema_version=2,
        volatility_id=f"{symbol}@{number}",
        symbol=symbol,
        bar_start_ns=start,
        bar_end_ns=start + MINUTE_NS,
        open=1.08,
        high=1.09,
        low=1.07,
        close=1.08 + 0.001 * wave,
        volume=0.0,
        ticks=40,
        log_return_percent=-loss,
        overnight_return_percent=0.0,
        first_of_session=False,
        realised_variance_percent2=0.001,
        bipower_variance_percent2=0.001,
        parkinson_variance_percent2=0.001,
        garman_klass_variance_percent2=0.001,
        spread_percent=0.01,
        late_ticks=0,
        outliers=0,
        stale_quotes=0,
        crossed_quotes=0,
        missing_sequences=0,
        model="GARCH(1,1)",
        distribution="normal",
        parameters_from_ns=0,
        variance_percent2=0.001,
        standardised_residual=wave,
        next_variance_percent2=0.001,
        ewma_variance_percent2=0.001,
        annualised_volatility_percent=14.0 + wave,
        squares_p=0.5,
        scale_p=0.5,
        model_rejected=False,
        risk_method="normal",
        risk=figures,
        risk_in_force=figures,
        exceeded_percent=(95.0, 99.0) if exceeded else (),
        back_tests=(BackTestFigure(99.0, 250, 6, 0.06, 0.03, 0.2, -0.4, 0.001, "yellow", 0.5),),
        source=Source("ticks", 0, number),
        bundle_name="small-market",
        bundle_version="0123456789ab",
    )


def portfolio_risk(name: str = "carry") -> PortfolioRisk:
    """Return what a portfolio of symbols may lose."""
    figures = (RiskFigure("normal", 99.0, 1, 0.05, 0.06),)
    market = MarketRisk(
        value=1e6,
        gross_exposure=9e6,
        symbols=2,
        unpriced=(),
        correlation="ewma",
        volatility_percent=0.02,
        risk_method="normal",
        risk=figures,
        components_percent={"EURUSD": 0.05},
        forecast_method="normal",
        loss_percent=0.01,
        exceeded_percent=(),
        back_tests=(),
    )
    return PortfolioRisk(1, f"{name}@1", name, START_NS, market, None, Source("ticks", 0, 1), "small-market", "0123")


def alert_records(alerts: Sequence[Alert], first_offset: int = 0) -> list[Record]:
    """Return alerts as they lie on their topic, a second apart."""
    return [
        Record("alerts", 0, first_offset + at, START_NS // 1_000_000 + 1_000 * (first_offset + at), encode(one))
        for at, one in enumerate(alerts)
    ]


def bar_records(bars: Sequence[Volatility]) -> list[Record]:
    """Return bars as they lie on their topic."""
    return [Record("volatility", 0, at, START_NS // 1_000_000, encode(one)) for at, one in enumerate(bars)]
