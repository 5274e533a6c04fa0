"""What a market bundle's `market.json` holds: the parameters of every step from a tick to an alert."""

from typing import Annotated

import msgspec
from msgspec import Meta

from risk.bars.bar_spec import BarSpecifications
from risk.forecasts.forecaster import Forecasters
from risk.market.alert_rules import AlertRules
from risk.portfolios.correlation_model import CorrelationModel
from risk.portfolios.portfolio_parameters import PortfolioLimits
from risk.rates.rate_parameters import RateParameters
from risk.value_at_risk.recalibration import LEARNING_RATE, MOST_LEARNING_RATE
from risk.volatility.volatility_models import VolatilityModels
from schemas.risk_figure import RiskMethod


class ValueAtRiskRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is forecast of losses: at these levels, over these horizons; `method` is the one that is tested and alerts.

    Its one-bar forecasts learn from their own exceedances at `learning_rate`, see
    `risk.value_at_risk.recalibration`; 0 leaves them as they are.

    Raises ValueError for levels that do not rise, and where 99 % or the horizon of one bar, which back-tests and alerts
    need, is missing.

    >>> ValueAtRiskRules(levels=(0.95,))
    Traceback (most recent call last):
    ...
    ValueError: levels (0.95,) lack 0.99, which back-tests and alerts need: add it
    """

    method: RiskMethod = "filtered_historical"
    levels: tuple[Annotated[float, Meta(ge=0.9, lt=1.0)], ...] = (0.95, 0.975, 0.99)
    horizons_bars: tuple[Annotated[int, Meta(ge=1, le=100_000)], ...] = (1, 10)
    learning_rate: Annotated[float, Meta(ge=0.0, le=MOST_LEARNING_RATE)] = LEARNING_RATE

    def __post_init__(self) -> None:
        if list(self.levels) != sorted(set(self.levels)):
            raise ValueError(f"levels {self.levels} do not rise: give each once, the lowest first")
        if 0.99 not in self.levels:
            raise ValueError(f"levels {self.levels} lack 0.99, which back-tests and alerts need: add it")
        if 1 not in self.horizons_bars:
            raise ValueError(f"horizons_bars {self.horizons_bars} lack 1, which back-tests and alerts need: add it")


class MarketParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of all steps; `bars_per_year` annualises volatility: bars of one symbol in a year of trading."""

    bars: BarSpecifications
    bars_per_year: Annotated[float, Meta(gt=0.0)]
    volatility: VolatilityModels
    value_at_risk: ValueAtRiskRules
    forecasters: Forecasters
    alerts: AlertRules
    correlation: CorrelationModel
    portfolios: PortfolioLimits
    rates: RateParameters


def read_market_parameters(content: bytes) -> MarketParameters:
    """Return the parameters in a `market.json`; raises ValueError, naming the field, for anything else."""
    try:
        return msgspec.json.decode(content, type=MarketParameters)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error


def market_parameters_bytes(parameters: MarketParameters) -> bytes:
    """Return the parameters as indented JSON with sorted keys: equal parameters give equal bytes."""
    encoded = msgspec.json.encode(parameters, order="deterministic")
    return msgspec.json.format(encoded, indent=2) + b"\n"
