"""What a market report shows: plain columns, one entry a bar, and rows of figures, whatever made them.

A study of a file of prices fills it in, and so can what a worker published on its topics: nothing here knows how a
forecast was made. Losses are positive, in percent of the price before.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.back_tests.back_test import TRAFFIC_LIGHT_LEVEL


class ReportError(ValueError):
    """Something from which no report can be made: the message names the field, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class RiskColumns:
    """The forecasts of one level, such as 0.99: what the loss of a bar was expected to exceed in 1 of 100 bars.

    `value_at_risk_percent` and `expected_shortfall_percent` float64[n] were in force for the bar, so they were known
    before it began; `exceeded` bool[n] says where the loss was greater than the value at risk.
    """

    level: float
    value_at_risk_percent: NDArray[np.float64]
    expected_shortfall_percent: NDArray[np.float64]
    exceeded: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ModelQuantiles:
    """The distribution that a model expects of standardised residuals: `z` float64[m] at `probability` float64[m].

    Both rise; `name` says which distribution it is.
    """

    name: str
    probability: NDArray[np.float64]
    z: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BackTest:
    """One test of the forecasts of one level: what it asks, its statistic and p-value, and the answer in words.

    `p_value` None is of a statistic that is judged by a threshold; `passed` None of one that could not be told.
    """

    level: float
    name: str
    asks: str
    statistic: float
    p_value: float | None
    passed: bool | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """How one way to forecast did: `green_share` is that of its windows without a bar of the period set aside.

    `quantile_loss_percent` is the mean loss of the quantile at the level of the traffic light; less is better.
    Shares are None where there is no window.
    """

    name: str
    exceedance_rate: float
    mean_value_at_risk_percent: float
    quantile_loss_percent: float
    green_share: float | None
    green_share_of_all: float | None


@dataclass(frozen=True, slots=True)
class ForecastSkill:
    """How one forecaster of the price did so many bars ahead, against the random walk, which expects no change.

    `mase` is its mean absolute error over the random walk's, `rmse_ratio` the same of root mean squared errors: below 1
    it was better. `hit_rate` is the share of directions that were right. `p_value` is of the hypothesis that neither is
    better, over `forecasts` forecasts.
    """

    forecaster: str
    horizon_bars: int
    forecasts: int
    mase: float
    rmse_ratio: float
    hit_rate: float
    p_value: float


@dataclass(frozen=True, slots=True)
class SetAside:
    """A period whose windows are counted apart, such as a crisis: from `first_ns` to before `end_ns`."""

    name: str
    first_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True)
class MarketReport:
    """All that the page shows of one symbol, n bars long, in order of time.

    `end_ns` int64[n] are nanoseconds since the Unix epoch; `close`, `log_return_percent`, `loss_percent`,
    `variance_percent2` (in force for the bar) and the standardised residual `z` are float64[n]. `model` is what the
    values at risk come from, `volatility_model` what variance and z do. Raises ReportError for columns of unequal
    length, for fewer than two bars, and for no level.
    """

    symbol: str
    source: str
    bar: str
    bars_per_year: float
    end_ns: NDArray[np.int64]
    close: NDArray[np.float64]
    log_return_percent: NDArray[np.float64]
    loss_percent: NDArray[np.float64]
    variance_percent2: NDArray[np.float64]
    z: NDArray[np.float64]
    model: str
    volatility_model: str
    expected: ModelQuantiles
    levels: tuple[RiskColumns, ...]
    back_tests: tuple[BackTest, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    skills: tuple[ForecastSkill, ...] = ()
    skill_verdicts: tuple[str, ...] = ()
    set_aside: SetAside | None = None
    notes: tuple[str, ...] = ()
    command: str = ""

    def __post_init__(self) -> None:
        bars = len(self.end_ns)
        if bars < 2:
            raise ReportError(f"end_ns: has {bars} bars; give at least two")
        if not self.levels:
            raise ReportError("levels: is empty; give the forecasts of at least one level")
        columns = {name: getattr(self, name) for name in _COLUMNS}
        for one in self.levels:
            for name in ("value_at_risk_percent", "expected_shortfall_percent", "exceeded"):
                columns[f"{name} at {one.level:g}"] = getattr(one, name)
        for name, column in columns.items():
            if len(column) != bars:
                raise ReportError(f"{name}: has {len(column)} bars where end_ns has {bars}; give as many")

    def __len__(self) -> int:
        return len(self.end_ns)

    @property
    def traffic_light(self) -> RiskColumns:
        """The forecasts that the Basel traffic light judges: those at 99 %, or at the level nearest to it."""
        return min(self.levels, key=lambda one: abs(one.level - TRAFFIC_LIGHT_LEVEL))


_COLUMNS = ("close", "log_return_percent", "loss_percent", "variance_percent2", "z")
