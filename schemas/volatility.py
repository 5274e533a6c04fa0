"""A symbol's volatility after a bar, what may be lost in the next, and how such forecasts have done."""

from typing import Literal

import msgspec

from schemas.back_test import BackTestFigure
from schemas.risk_figure import RiskFigure, RiskMethod
from schemas.source import Source


class Volatility(msgspec.Struct, frozen=True, gc=False):
    """What one closed bar of a symbol led to; keyed by symbol.

    Returns are log returns in percent, variances in percent squared of one bar. `variance_percent2` was forecast for
    this bar and `next_variance_percent2` is for the next; `standardised_residual` is the return less its mean in
    deviations of the former. The realised variances are measured inside the bar. `squares_p` and `scale_p` test whether
    the squares of the last standardised residuals are uncorrelated, and 1 in the mean; where they are not,
    `model_rejected` is set. `risk` looks ahead from the bar's end, by each method as it forecasts. `risk_in_force` has
    the one-bar figures of `risk_method` after they learnt from their own exceedances: they are what the next bar's loss
    is held against, by back-tests and alerts. `exceeded_percent` are the confidences whose value at risk in force this
    bar's loss exceeded, and `back_tests` count them. `parameters_from_ns` is the event time of the re-estimated
    parameters, 0 for the bundle's.
    """

    schema_version: Literal[2]
    volatility_id: str
    symbol: str
    bar_start_ns: int
    bar_end_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    ticks: int
    log_return_percent: float
    overnight_return_percent: float
    first_of_session: bool
    realised_variance_percent2: float
    bipower_variance_percent2: float
    parkinson_variance_percent2: float
    garman_klass_variance_percent2: float
    spread_percent: float
    late_ticks: int
    outliers: int
    stale_quotes: int
    crossed_quotes: int
    missing_sequences: int
    model: str
    distribution: str
    parameters_from_ns: int
    variance_percent2: float
    standardised_residual: float
    next_variance_percent2: float
    ewma_variance_percent2: float
    annualised_volatility_percent: float
    squares_p: float
    scale_p: float
    model_rejected: bool
    risk_method: RiskMethod
    risk: tuple[RiskFigure, ...]
    risk_in_force: tuple[RiskFigure, ...]
    exceeded_percent: tuple[float, ...]
    back_tests: tuple[BackTestFigure, ...]
    source: Source
    bundle_name: str
    bundle_version: str
