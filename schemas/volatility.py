"""A symbol's volatility after a bar, and what may be lost in the next."""

from typing import Literal

import msgspec

from schemas.source import Source


class Volatility(msgspec.Struct, frozen=True, gc=False):
    """What one closed bar of a symbol led to; keyed by symbol.

    Variances are one step ahead, of a bar's log return, in percent squared. The values at risk are losses of the next
    bar, positive, in percent of the price, that are exceeded with 5 and 1 % probability; `exceeded_95` and
    `exceeded_99` tell whether this bar lost more than was forecast for it.
    """

    schema_version: Literal[1]
    volatility_id: str
    symbol: str
    bar_end_ns: int
    close: float
    log_return_percent: float
    garch_variance_percent2: float
    ewma_variance_percent2: float
    annualised_volatility_percent: float
    value_at_risk_95_percent: float
    value_at_risk_99_percent: float
    exceeded_95: bool
    exceeded_99: bool
    source: Source
    bundle_name: str
    bundle_version: str
