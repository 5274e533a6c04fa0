from functools import cache

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from risk.back_tests.proportion_of_failures import proportion_of_failures
from risk.bars.closed_bars import CLOSED_BAR, ClosedBars, closed_bars
from risk.market.market_parameters import ValueAtRiskRules
from risk.market.symbol_risk import SymbolRisk
from risk.value_at_risk.recalibration import LEARNING_RATE
from risk.volatility.volatility_model import VolatilityModel
from risk.volatility.volatility_models import VolatilityModels
from schemas.risk_figure import RiskMethod
from tests.small_market_bundle import small_market_bundle
from training.market.report_series import shipped_series
from training.market.report_study import year_set_aside
from training.market.report_windows import Windows, traffic_light_windows
from training.market.var_walk_forward import GJR_SKEWED
from training.market.volatility_fit import fit_volatility_model

FIRST_BARS, REFIT_BARS = 500, 250
SYMBOL = "SPX"


SERIES = shipped_series()
RETURNS = SERIES.log_return_percent


def bars_between(first: int, end: int) -> ClosedBars:
    """Return the bars of some of the returns, as a worker closes them."""
    table = np.zeros(len(RETURNS[first:end]), dtype=CLOSED_BAR)
    table["log_return_percent"] = RETURNS[first:end]
    table["end_ns"], table["close"] = SERIES.end_ns[first + 1 : end + 1], SERIES.close[first + 1 : end + 1]
    return closed_bars(table, [SYMBOL] * len(table))


@cache
def fits() -> dict[int, VolatilityModel]:
    """Return the models fitted every REFIT_BARS bars on all bars before, by how many these are."""
    return {
        bars: fit_volatility_model(RETURNS[:bars], GJR_SKEWED).model
        for bars in range(FIRST_BARS, len(RETURNS), REFIT_BARS)
    }


def lived_through(method: RiskMethod, learning_rate: float) -> tuple[Windows, NDArray[np.bool_]]:
    """Return the windows at 99 % after the first bars, and which bars exceeded.

    The worker begins with the first fit, and each later one is installed between two bars.
    """
    small = small_market_bundle()
    parameters = msgspec.structs.replace(
        small.parameters,
        volatility=VolatilityModels(small.parameters.volatility.symbols | {SYMBOL: fits()[FIRST_BARS]}),
        value_at_risk=ValueAtRiskRules(method=method, levels=(0.99,), horizons_bars=(1,), learning_rate=learning_rate),
    )
    risk = SymbolRisk(parameters, small.graphs)
    exceeded: list[bool] = []
    for first, model in fits().items():
        if first > FIRST_BARS:
            risk.install(SYMBOL, model, int(SERIES.end_ns[first]))
        exceeded += risk.advance(bars_between(first, first + REFIT_BARS)).back_tests.exceeded[:, 0].tolist()
    # For the first bar nothing was in force yet.
    judged = np.array(exceeded[1:])
    return traffic_light_windows(SERIES.end_ns[FIRST_BARS + 2 :], judged, 0.99, year_set_aside(2008)), judged


@pytest.mark.parametrize("method", ["fitted_distribution", "filtered_historical"])
def test_the_windows_of_the_s_and_p_500_are_green_live(method: RiskMethod) -> None:
    """A worker that is given new fits every 250 days has over 95 % of windows without a day of 2008 green.

    None is red, 2008 included, and there are as many exceedances as there should be.
    """
    windows, exceeded = lived_through(method, LEARNING_RATE)
    assert len(windows) == 4280
    assert int(np.sum(~windows.set_aside)) == 3778
    assert windows.green_share is not None
    assert windows.green_share >= 0.95
    assert windows.exceedances.max() <= 9
    assert proportion_of_failures(exceeded, 0.99).p_value > 0.05


def test_without_learning_they_are_not() -> None:
    """The same worker has fewer than 95 % of them green if its rate is 0."""
    windows, _ = lived_through("filtered_historical", 0.0)
    assert windows.green_share is not None
    assert windows.green_share < 0.9
