"""What a portfolio may lose, and what it lost beside what was forecast."""

from typing import Literal

import msgspec

from schemas.back_test import BackTestFigure
from schemas.currency import CurrencyCode
from schemas.risk_figure import RiskFigure, RiskMethod
from schemas.source import Source

CorrelationKind = Literal["ewma", "dcc"]


class MarketRisk(msgspec.Struct, frozen=True, gc=False):
    """A portfolio's holdings of symbols, at the last closes.

    `value` and `gross_exposure` (in which short positions count as long ones) are in units of the currency. All in
    percent is in percent of the gross exposure, and a loss is positive. `risk` looks ahead from the bar's end;
    `components_percent` are what each symbol adds to the normal value at risk of one bar at 99 %, and add up to it.

    `loss_percent` is what the holdings of the bar's beginning lost in it, in percent of their gross exposure then.
    `exceeded_percent` are the confidences whose value at risk, by the `forecast_method` of then, it exceeded, and
    `back_tests` count them; before a first forecast these are absent. `unpriced` are symbols held that had no close yet
    and so do not count.
    """

    value: float
    gross_exposure: float
    symbols: int
    unpriced: tuple[str, ...]
    correlation: CorrelationKind
    volatility_percent: float
    risk_method: RiskMethod
    risk: tuple[RiskFigure, ...]
    components_percent: dict[str, float]
    forecast_method: RiskMethod | None
    loss_percent: float | None
    exceeded_percent: tuple[float, ...]
    back_tests: tuple[BackTestFigure, ...]


class InterestRateRisk(msgspec.Struct, frozen=True, gc=False):
    """A portfolio's bonds in one currency, on the curve of `curve_ns`; values are in units of the currency.

    `dv01` is what is lost for each basis point by which all zero rates rise; `key_rate_dv01` splits it by key tenor,
    and the durations (years) are the same relative to the present value, 0 without one. `shock_losses` is what
    economic value is lost in each of the six Basel scenarios, empty for a currency without standard shocks;
    `worst_loss_percent` is the worst of them, at least 0, in percent of the gross value, in which bonds owed count as
    bonds owned.
    """

    currency: CurrencyCode
    curve_ns: int
    bonds: int
    present_value: float
    gross_value: float
    dv01: float
    effective_duration_years: float
    effective_convexity_years2: float
    key_tenors_years: tuple[float, ...]
    key_rate_dv01: tuple[float, ...]
    key_rate_durations_years: tuple[float, ...]
    shock_losses: dict[str, float]
    worst_loss_percent: float


class PortfolioRisk(msgspec.Struct, frozen=True, gc=False):
    """The risk of a portfolio after a bar or a curve; keyed by portfolio.

    `market` is there after bars, `interest_rates` for one currency after its curve or when its bonds changed. `source`
    is the message that showed the bar or the curve to be complete.
    """

    schema_version: Literal[1]
    risk_id: str
    portfolio: str
    as_of_ns: int
    market: MarketRisk | None
    interest_rates: InterestRateRisk | None
    source: Source
    bundle_name: str
    bundle_version: str
