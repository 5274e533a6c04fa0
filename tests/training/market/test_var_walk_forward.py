from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from risk.back_tests.dynamic_quantile import dynamic_quantile
from risk.back_tests.exceedances import exceedances
from risk.back_tests.proportion_of_failures import proportion_of_failures
from risk.value_at_risk.loss import loss_percent
from risk.volatility.volatility_model import Garch
from training.market.report_series import shipped_series
from training.market.report_study import year_set_aside
from training.market.report_windows import traffic_light_windows
from training.market.var_walk_forward import (
    GJR_SKEWED,
    ModelForecasts,
    RiskForecasts,
    WalkForwardError,
    WalkForwardPlan,
    fits,
    least_loss_so_far,
    losses_percent,
    most_cautious,
    recalibrated,
    walk_forward,
)
from training.market.volatility_fit import ModelOrder, fit_volatility_model

NORMAL, GJR = ModelOrder(kind="garch"), ModelOrder(kind="garch", o=1, distribution="t")


def swinging_returns(count: int) -> NDArray[np.float64]:
    """Return simulated GARCH(1,1) returns."""
    shocks = np.random.default_rng(11).standard_normal(count)
    returns, variance = np.empty(count), 1.0
    for at in range(count):
        returns[at] = 0.03 + np.sqrt(variance) * shocks[at]
        variance = 0.05 + 0.1 * (returns[at] - 0.03) ** 2 + 0.85 * variance
    return returns


RETURNS = swinging_returns(700)
PLAN = WalkForwardPlan(models=(NORMAL, GJR), refit_bars=60)


@cache
def forecasts() -> tuple[ModelForecasts, ...]:
    """Return the forecasts of both models, made once."""
    return tuple(walk_forward(RETURNS, PLAN))


def columns_until(found: ModelForecasts, bars: int) -> list[NDArray[np.float64]]:
    """Return all that was forecast for the first bars."""
    ways = (found.fitted, found.filtered)
    risks = [column for one in ways for column in (one.value_at_risk_percent, one.expected_shortfall_percent)]
    return [one[:bars] for one in (found.mean_percent, found.variance_percent2, *risks)]


@settings(max_examples=4)
@given(st.integers(500, 699), st.sampled_from([-40.0, 0.0, 1e4]))
def test_a_later_return_changes_no_forecast(at: int, put: float) -> None:
    """Whatever a return is, what was forecast for its bar and those before stays the same, bit for bit."""
    changed = RETURNS.copy()
    changed[at] = put
    changed[at + 1 :] = -changed[at + 1 :]
    (found,) = walk_forward(changed, WalkForwardPlan(models=(NORMAL,), refit_bars=60))
    for one, other in zip(columns_until(found, at + 1 - 500), columns_until(forecasts()[0], at + 1 - 500), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_longer_series_begins_with_the_forecasts_of_a_shorter_one() -> None:
    """Forecasts of the first bars are the same whether the series ends there or goes on."""
    (short,) = walk_forward(RETURNS[:600], WalkForwardPlan(models=(NORMAL,), refit_bars=60))
    for one, other in zip(columns_until(short, 100), columns_until(forecasts()[0], 100), strict=True):
        np.testing.assert_array_equal(one, other)


def test_forecasts_are_those_of_a_plain_loop_over_the_model() -> None:
    """A GARCH recursion in plain Python, with quantiles by scipy, gives the same variances and values at risk."""
    found = forecasts()[0]
    for start in range(500, 700, 60):
        model = fit_volatility_model(RETURNS[:start], NORMAL).model
        assert isinstance(model, Garch)
        variance = model.omega + (model.alpha[0] + model.beta[0]) * model.backcast_percent2
        for at in range(min(start + 60, 700)):
            if at >= start:
                assert found.variance_percent2[at - 500] == pytest.approx(variance, rel=1e-9)
                quantile = model.mean_percent + np.sqrt(variance) * stats.norm.ppf(0.01)
                value_at_risk = found.fitted.value_at_risk_percent[at - 500, 2]
                assert value_at_risk == pytest.approx(-100.0 * np.expm1(quantile / 100.0), rel=1e-9)
            shock = RETURNS[at] - model.mean_percent
            variance = model.omega + model.alpha[0] * shock**2 + model.beta[0] * variance


def test_filtered_residuals_are_those_of_the_bars_before() -> None:
    """Filtered historical simulation scales the sixth worst of the last 500 residuals, at 99 %."""
    found = forecasts()[0]
    z = fit_volatility_model(RETURNS[:560], NORMAL).bars.standardised_residual[60:]
    quantile = found.mean_percent[60] + np.sqrt(found.variance_percent2[60]) * np.sort(z)[5]
    assert found.filtered.value_at_risk_percent[60, 2] == pytest.approx(-100.0 * np.expm1(quantile / 100.0))


def test_residuals_are_returns_in_the_deviations_expected() -> None:
    """Times the deviation, plus the mean, they give the returns."""
    for found in forecasts():
        made = found.mean_percent + np.sqrt(found.variance_percent2) * found.z
        np.testing.assert_allclose(made, RETURNS[500:], rtol=1e-9, atol=1e-12)


def test_the_quantiles_expected_are_those_of_the_fits() -> None:
    """Of normal residuals they are the normal's, and of Student's t the mean over its fits."""
    probability = np.array([0.01, 0.5, 0.9])
    normal, student = forecasts()
    np.testing.assert_allclose(normal.expected_quantiles(probability), stats.norm.ppf(probability), atol=1e-12)
    freedoms = [one.degrees_of_freedom for one in student.distributions]
    mean = np.mean([stats.t.ppf(probability, nu) * np.sqrt(1.0 - 2.0 / nu) for nu in freedoms if nu], axis=0)
    np.testing.assert_allclose(student.expected_quantiles(probability), mean, atol=1e-9)


def test_the_most_cautious_is_never_below_any() -> None:
    """It equals the highest of them at each bar and level, for values at risk and shortfalls."""
    ways = [way for one in forecasts() for way in (one.fitted, one.filtered)]
    found = most_cautious(ways)
    for name in ("value_at_risk_percent", "expected_shortfall_percent"):
        stacked = np.stack([getattr(one, name) for one in ways])
        np.testing.assert_array_equal(getattr(found, name), stacked.max(axis=0))
    assert (found.expected_shortfall_percent >= found.value_at_risk_percent).all()


def test_the_least_loss_so_far_is_that_of_a_plain_loop() -> None:
    """Every few bars the way of least summed quantile loss until then is taken, at each level by itself."""
    ways = [way for one in forecasts() for way in (one.fitted, one.filtered)]
    loss = losses_percent(RETURNS)[500:]
    found = least_loss_so_far(ways, loss, PLAN.levels, 40)
    for at, level in enumerate(PLAN.levels):
        best = 0
        for bar in range(200):
            if bar and bar % 40 == 0:
                sums = [
                    sum(
                        max(
                            level * (loss[k] - way.value_at_risk_percent[k, at]),
                            (level - 1.0) * (loss[k] - way.value_at_risk_percent[k, at]),
                        )
                        for k in range(bar)
                    )
                    for way in ways
                ]
                best = sums.index(min(sums))
            assert found.value_at_risk_percent[bar, at] == ways[best].value_at_risk_percent[bar, at]


def test_what_comes_later_changes_no_choice() -> None:
    """Losses from a bar on have no say in which way stands for the bars until the next choice."""
    ways = [way for one in forecasts() for way in (one.fitted, one.filtered)]
    loss = losses_percent(RETURNS)[500:]
    changed = np.concatenate([loss[:80], 50.0 - loss[80:]])
    one, other = (least_loss_so_far(ways, column, PLAN.levels, 40) for column in (loss, changed))
    np.testing.assert_array_equal(one.value_at_risk_percent[:120], other.value_at_risk_percent[:120])


def test_losses_are_of_a_long_position() -> None:
    """They equal the loss of each return by itself."""
    assert losses_percent(RETURNS).tolist() == [loss_percent(one) for one in RETURNS.tolist()]


def test_every_fit_is_told() -> None:
    """The callback is called as often as `fits` says beforehand."""
    told: list[int] = []
    plan = WalkForwardPlan(models=(NORMAL,), refit_bars=150, window_bars=500)
    list(walk_forward(RETURNS, plan, lambda: told.append(1)))
    assert len(told) == fits(len(RETURNS), plan) == 2


@pytest.mark.parametrize(
    ("returns", "says"),
    [
        (RETURNS[:500], "has 500 returns, and 500 are needed"),
        (np.concatenate([RETURNS[:600], [np.nan]]), "number 600 is not finite"),
        (np.zeros(600), "GARCH, normal: 500 returns are all 0.0"),
    ],
)
def test_a_series_that_cannot_be_walked_is_refused(returns: NDArray[np.float64], says: str) -> None:
    """The error names what is wrong, and what to do."""
    with pytest.raises(WalkForwardError, match=says):
        list(walk_forward(returns, WalkForwardPlan(models=(NORMAL,))))


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"models": ()}, "models: is empty"),
        ({"levels": (0.99, 0.95)}, "give one or more that rise"),
        ({"refit_bars": 0}, "refit_bars 0: give at least 1"),
        ({"first_bars": 100}, "first_bars, window_bars 100: no model"),
        ({"window_bars": 499}, "first_bars, window_bars 499: no model"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(fields: dict[str, object], says: str) -> None:
    """The error names the field, its value and the remedy."""
    with pytest.raises(WalkForwardError, match=says):
        WalkForwardPlan(**fields)  # type: ignore[arg-type]


def test_a_fit_that_fails_leaves_the_model_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forecasts go on with the last model that could be fitted, and the failure is counted."""
    from training.market import var_walk_forward
    from training.market.volatility_fit import FitError, VolatilityFit

    def failing(returns: NDArray[np.float64], order: ModelOrder) -> VolatilityFit:
        if len(returns) > 500:
            raise FitError("it does not converge")
        return fit_volatility_model(returns, order)

    monkeypatch.setattr(var_walk_forward, "fit_volatility_model", failing)
    (found,) = walk_forward(RETURNS, WalkForwardPlan(models=(NORMAL,), refit_bars=60))
    assert found.kept_fits == 3
    monkeypatch.undo()
    (once,) = walk_forward(RETURNS, WalkForwardPlan(models=(NORMAL,), refit_bars=200))
    for one, other in zip(columns_until(found, 200), columns_until(once, 200), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_learning_way_is_that_of_a_plain_loop() -> None:
    """One logarithm a level grows with what exceeded and shrinks with every bar, from 0 on."""
    way, loss = forecasts()[0].fitted, losses_percent(RETURNS)[500:]
    found = recalibrated(way, loss, PLAN.levels, 0.01)
    grown = [0.0] * 3
    for bar in range(200):
        floor = -np.inf
        for at, level in enumerate(PLAN.levels):
            quantile = np.log(1.0 - way.value_at_risk_percent[bar, at] / 100.0)
            floor = max(floor, 100.0 * (1.0 - np.exp(np.exp(grown[at]) * quantile)))
            assert found.value_at_risk_percent[bar, at] == pytest.approx(floor, rel=1e-9)
            grown[at] += 0.01 * ((loss[bar] > floor) / (1.0 - level) - 1.0)
    assert (found.expected_shortfall_percent >= found.value_at_risk_percent).all()


@given(st.integers(0, 199), st.floats(-50.0, 99.0))
def test_no_loss_changes_what_a_learning_way_said_of_its_bar(at: int, put: float) -> None:
    """Whatever a loss is, the forecasts of its bar and of those before stay the same, bit for bit."""
    way, loss = forecasts()[0].fitted, losses_percent(RETURNS)[500:]
    changed = loss.copy()
    changed[at] = put
    one, other = (recalibrated(way, column, PLAN.levels) for column in (loss, changed))
    np.testing.assert_array_equal(one.value_at_risk_percent[: at + 1], other.value_at_risk_percent[: at + 1])


@pytest.mark.parametrize("wrong", [0.5, 2.0])
def test_a_learning_way_is_exceeded_as_often_as_it_says_even_if_its_model_is_wrong(wrong: float) -> None:
    """Of values at risk that are half or double what they should be, learning makes some that hold their levels."""
    loss = np.random.default_rng(8).standard_normal(20_000)
    levels = (0.95, 0.99)
    fixed = np.tile(wrong * stats.norm.ppf(levels), (len(loss), 1))
    found = recalibrated(RiskForecasts("wrong", fixed, 1.2 * fixed), loss, levels)
    rates = np.mean(loss[:, None] > found.value_at_risk_percent, axis=0)
    np.testing.assert_allclose(rates, [0.05, 0.01], rtol=0.15)
    assert (found.value_at_risk_percent < 100.0).all()


def test_the_windows_of_the_s_and_p_500_are_green() -> None:
    """Of 1999 to 2018, over 95 % of windows without a day of 2008 are green, and the other back-tests find no fault.

    This is the value at risk of `riskstream market report`, which fits its model anew every 63 days too.
    """
    series = shipped_series()
    returns = series.log_return_percent
    plan = WalkForwardPlan(models=(GJR_SKEWED,), levels=(0.99,), refit_bars=63)
    (model,) = walk_forward(returns, plan)
    loss = losses_percent(returns)[500:]
    value_at_risk = recalibrated(model.fitted, loss, plan.levels).value_at_risk_percent[:, 0]
    exceeded = exceedances(loss, value_at_risk)
    windows = traffic_light_windows(series.end_ns[501:], exceeded, 0.99, year_set_aside(2008))
    assert len(windows) == 4281
    assert windows.green_share is not None
    assert windows.green_share >= 0.95
    assert windows.exceedances.max() <= 9
    assert proportion_of_failures(exceeded, 0.99).p_value > 0.05
    assert dynamic_quantile(exceeded, value_at_risk, 0.99).p_value > 0.05
