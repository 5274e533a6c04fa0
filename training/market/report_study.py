"""Makes a market report of a past series: walks forward through it, back-tests every way, and scores forecasters."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import numpy as np
from numpy.typing import NDArray

from risk.back_tests.back_test import TRAFFIC_LIGHT_LEVEL
from risk.back_tests.exceedances import exceedances
from risk.back_tests.quantile_loss import mean_quantile_loss
from risk.value_at_risk.recalibration import LEARNING_RATE
from training.market.arima_fit import choose_arima
from training.market.arima_graph import export_arima
from training.market.forecaster_fit import FittedForecaster, future_changes
from training.market.lag_regression import fit_lag_regression
from training.market.report import (
    Candidate,
    ForecastSkill,
    MarketReport,
    ModelQuantiles,
    ReportError,
    RiskColumns,
    SetAside,
)
from training.market.report_back_tests import back_tests
from training.market.report_series import PriceSeries
from training.market.report_windows import traffic_light_windows
from training.market.var_walk_forward import (
    ModelForecasts,
    RiskForecasts,
    WalkForwardPlan,
    least_loss_so_far,
    losses_percent,
    most_cautious,
    recalibrated,
    walk_forward,
)
from training.market.walk_forward import Fit, skill, verdict
from training.market.walk_forward import walk_forward as walk_forecasts

HORIZONS_BARS = (1, 5)
FORECAST_FIRST_BARS = 1_000
"""The bars before the first forecast of the price, and the fewest after it of which skill is told."""
_FORECAST_REFIT_BARS = 1_000
_RECENT_BARS = 2_000

_PROBABILITY = np.concatenate(
    [np.geomspace(1e-5, 0.02, 60), np.linspace(0.025, 0.975, 120), 1.0 - np.geomspace(0.02, 1e-5, 60)]
)


def year_set_aside(year: int) -> SetAside:
    """Return a calendar year, in UTC, as the period set aside.

    >>> year_set_aside(1970).first_ns
    0
    """
    first, end = (int(datetime(one, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000 for one in (year, year + 1))
    return SetAside(str(year), first, end)


def study(
    series: PriceSeries,
    plan: WalkForwardPlan,
    *,
    set_aside: SetAside | None = None,
    with_skill: bool = True,
    command: str = "",
    on_fit: Callable[[], None] = lambda: None,
    on_skill: Callable[[], None] = lambda: None,
) -> MarketReport:
    """Return the report of a series, whose value at risk is that of the plan's first model, which learns as it goes.

    That needs no choice among the models, so no hindsight; the others are there to compare. Which model stands behind
    volatility and residuals is chosen by its quantile loss over all bars, and changes no value at risk. Raises
    WalkForwardError for a series that is too short or on which a model does not converge, and ReportError for a plan
    without 99 %.
    """
    if TRAFFIC_LIGHT_LEVEL not in plan.levels:
        raise ReportError(f"levels {plan.levels}: lack {TRAFFIC_LIGHT_LEVEL}, which the traffic light counts; add it")
    returns = series.log_return_percent
    found = list(walk_forward(returns, plan, on_fit))
    loss = losses_percent(returns)[plan.first_bars :]
    end_ns = series.end_ns[plan.first_bars + 1 :]
    light = plan.levels.index(TRAFFIC_LIGHT_LEVEL)
    fitted = [one.fitted for one in found]
    ways = [way for one in found for way in (one.fitted, one.filtered)]
    chosen = recalibrated(fitted[0], loss, plan.levels)
    combined = [
        most_cautious(fitted, f"most cautious of {len(found)} models"),
        least_loss_so_far(ways, loss, plan.levels, plan.refit_bars),
    ]
    compared = [chosen, *(combined if len(found) > 1 else []), *ways]
    candidates = [_candidate(way, loss, end_ns, light, set_aside) for way in compared]
    sharpest = min(found, key=lambda one: mean_quantile_loss(loss, one.fitted.value_at_risk_percent[:, light], 0.99))
    levels = tuple(
        RiskColumns(
            level,
            chosen.value_at_risk_percent[:, at],
            chosen.expected_shortfall_percent[:, at],
            exceedances(loss, chosen.value_at_risk_percent[:, at]),
        )
        for at, level in enumerate(plan.levels)
    )
    skills, verdicts = _skills(series.close, on_skill) if with_skill else ((), ())
    return MarketReport(
        symbol=series.symbol,
        source=series.source,
        bar=series.bar,
        bars_per_year=series.bars_per_year,
        end_ns=end_ns,
        close=series.close[plan.first_bars + 1 :],
        log_return_percent=returns[plan.first_bars :],
        loss_percent=loss,
        variance_percent2=sharpest.variance_percent2,
        z=sharpest.z,
        model=chosen.name,
        volatility_model=sharpest.name,
        expected=ModelQuantiles(sharpest.name, _PROBABILITY, sharpest.expected_quantiles(_PROBABILITY)),
        levels=levels,
        back_tests=tuple(test for one in levels for test in back_tests(loss, one)),
        candidates=tuple(candidates),
        skills=skills,
        skill_verdicts=verdicts,
        set_aside=set_aside,
        notes=_notes(found, plan, series),
        command=command,
    )


def _candidate(
    way: RiskForecasts, loss: NDArray[np.float64], end_ns: NDArray[np.int64], light: int, set_aside: SetAside | None
) -> Candidate:
    value_at_risk = way.value_at_risk_percent[:, light]
    exceeded = exceedances(loss, value_at_risk)
    windows = traffic_light_windows(end_ns, exceeded, TRAFFIC_LIGHT_LEVEL, set_aside)
    return Candidate(
        name=way.name,
        exceedance_rate=float(np.mean(exceeded)),
        mean_value_at_risk_percent=float(np.mean(value_at_risk)),
        quantile_loss_percent=mean_quantile_loss(loss, value_at_risk, TRAFFIC_LIGHT_LEVEL),
        green_share=windows.green_share,
        green_share_of_all=windows.green_share_of_all,
    )


def _notes(found: list[ModelForecasts], plan: WalkForwardPlan, series: PriceSeries) -> tuple[str, ...]:
    past = "all bars so far" if plan.window_bars is None else f"the last {plan.window_bars:,} bars"
    notes = [
        f"Models were fitted anew every {plan.refit_bars} bars on {past}, and no forecast knows its own bar or a later"
        f" one. The first {plan.first_bars:,} returns of {series.source} served to begin with.",
    ]
    widens, narrows = LEARNING_RATE / (1.0 - TRAFFIC_LIGHT_LEVEL), LEARNING_RATE
    notes.append(
        f"The value at risk is that of {found[0].name}, a choice made beforehand. It learns as it goes: a bar that"
        f" exceeds it widens it at {TRAFFIC_LIGHT_LEVEL:.0%} by {widens:.0%}, and every bar narrows it by"
        f" {narrows:.2%}, so that in the long run it is exceeded as often as its level says."
    )
    if len(found) > 1:
        notes.append(
            "The most cautious is at each bar the highest value at risk of the models. The one of least loss so far is"
            " chosen anew at every fit, by the quantile loss of the bars before."
        )
    kept = sum(one.kept_fits for one in found)
    if kept:
        notes.append(f"{kept} fits did not converge; the model before stayed in their place.")
    return tuple(notes)


def _skills(
    close: NDArray[np.float64], on_skill: Callable[[], None]
) -> tuple[tuple[ForecastSkill, ...], tuple[str, ...]]:
    if len(close) < 2 * FORECAST_FIRST_BARS:
        return (), ()
    levels = 100.0 * np.log(close)
    made = {}
    for name, fit in _forecasters().items():
        made[name] = walk_forecasts(levels, fit, first=FORECAST_FIRST_BARS, refit_every=_FORECAST_REFIT_BARS)
        on_skill()
    skills, verdicts = [], []
    for ahead in HORIZONS_BARS:
        found = {name: skill(levels, one, ahead_bars=ahead) for name, one in made.items()}
        skills += [
            ForecastSkill(name, ahead, one.forecasts, one.mase, one.rmse_ratio, one.hit_rate, one.p_value)
            for name, one in found.items()
        ]
        verdicts.append(f"{ahead} bar{'s' if ahead > 1 else ''} ahead: {verdict(found)}")
    return tuple(skills), tuple(verdicts)


def _forecasters() -> dict[str, Fit]:
    return {
        "ARIMA": _arima,
        "linear regression": partial(_regression, degree=1),
        "quadratic regression": partial(_regression, degree=2),
    }


def _arima(past: NDArray[np.float64]) -> FittedForecaster:
    recent = past[-_RECENT_BARS:]
    return export_arima(choose_arima(recent), recent, HORIZONS_BARS[-1])


def _regression(past: NDArray[np.float64], degree: int) -> FittedForecaster:
    changes = np.diff(past)
    return fit_lag_regression([(changes, future_changes(changes, HORIZONS_BARS[-1]))], degree=degree)


FORECASTERS = len(_forecasters())
"""How often `study` calls `on_skill` for a series that is long enough."""
