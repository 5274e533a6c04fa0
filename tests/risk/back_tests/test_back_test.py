import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.back_tests.acerbi_szekely import acerbi_szekely
from risk.back_tests.back_test import WINDOW_BARS, BackTest, BackTests
from risk.back_tests.christoffersen import conditional_coverage
from risk.back_tests.dynamic_quantile import dynamic_quantile
from risk.back_tests.exceedances import exceedances
from risk.back_tests.proportion_of_failures import proportion_of_failures
from risk.back_tests.quantile_loss import mean_quantile_loss
from risk.back_tests.traffic_light import ZONES, traffic_light

LEVELS = (0.95, 0.975, 0.99)

Bars = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


def bars_of(seed: int, n: int, known: float = 1.0) -> Bars:
    """Return losses, values at risk and expected shortfalls of n bars, of which some had no forecast."""
    draw = np.random.default_rng(seed)
    values = draw.uniform(0.8, 1.2, n)[:, None] * np.array([1.645, 1.960, 2.326])
    values[draw.random(n) >= known] = np.nan
    return draw.normal(0.0, 1.1, n), values, 1.15 * values


def advance(step: BackTest, bars: Bars) -> BackTests:
    """Advance one symbol by bars."""
    return step.advance(["X"] * len(bars[0]), *bars)


@given(st.integers(0, 2**32 - 1), st.integers(1, 600))
def test_live_tests_are_those_of_the_last_bars(seed: int, n: int) -> None:
    """After any number of bars, each column is what its test says of the last 250 bars that had a forecast."""
    losses, values, shortfalls = bars_of(seed, n, known=0.9)
    found = advance(BackTest(LEVELS), (losses, values, shortfalls))
    known = np.isfinite(values[:, 0])
    window = np.flatnonzero(known)[-WINDOW_BARS:]
    assert found.bars[-1] == len(window)
    assert not found.exceeded[~known].any()
    for number, level in enumerate(LEVELS):
        assert np.array_equal(found.exceeded[known, number], losses[known] > values[known, number])
        loss, value, shortfall = losses[window], values[window, number].copy(), shortfalls[window, number].copy()
        exceeded = exceedances(loss, value)
        assert found.exceedances[-1, number] == exceeded.sum()
        if len(window):
            one = proportion_of_failures(exceeded, level), conditional_coverage(exceeded, level)
            assert found.proportion_of_failures_p_value[-1, number] == one[0].p_value
            assert found.conditional_coverage_p_value[-1, number] == one[1].p_value
            assert found.dynamic_quantile_p_value[-1, number] == dynamic_quantile(exceeded, value, level).p_value
            z2 = acerbi_szekely(loss, value, shortfall, level).z2
            assert found.acerbi_szekely_z2[-1, number] == pytest.approx(z2, rel=1e-12, abs=1e-12)
            assert found.mean_quantile_loss_percent[-1, number] == mean_quantile_loss(loss, value, level)
    light = traffic_light(losses[window] > values[window, LEVELS.index(0.99)])
    assert (ZONES[found.traffic_light_zone[-1]], found.plus_factor[-1]) == (light.zone, light.plus_factor)


def test_nothing_is_tested_before_the_first_forecast() -> None:
    """While no forecast is in force nothing counts, every p-value is 1 and the light is green."""
    losses, values, shortfalls = bars_of(1, 3, known=0.0)
    found = advance(BackTest(LEVELS), (losses, values, shortfalls))
    for name in ("exceeded", "bars", "exceedances", "acerbi_szekely_z2", "mean_quantile_loss_percent"):
        assert not getattr(found, name).any()
    for name in ("proportion_of_failures_p_value", "conditional_coverage_p_value", "dynamic_quantile_p_value"):
        assert np.all(getattr(found, name) == 1.0)
    assert not found.traffic_light_zone.any()
    assert not found.plus_factor.any()


@pytest.mark.parametrize("column", [1, 2])
def test_a_bar_with_half_a_forecast_does_not_count(column: int) -> None:
    """Where one level's value at risk or expected shortfall is missing, the bar is left out at every level."""
    bars = bars_of(2, 5)
    bars[column][3, 1] = np.nan
    assert advance(BackTest(LEVELS), bars).bars.tolist() == [1, 2, 3, 3, 4]


def test_a_model_that_halves_its_risk_turns_red() -> None:
    """Once losses are twice what they were forecast with, a year's light turns red and the tests refuse the model."""
    losses, values, shortfalls = bars_of(3, 2 * WINDOW_BARS)
    losses[WINDOW_BARS:] *= 2.0
    found = advance(BackTest(LEVELS), (losses, values, shortfalls))
    assert ZONES[found.traffic_light_zone[-1]] == "red"
    assert found.plus_factor[-1] == 1.0
    assert np.all(found.proportion_of_failures_p_value[-1] < 1e-3)
    assert np.all(found.acerbi_szekely_z2[-1] < -0.7)


def test_levels_need_the_one_of_the_traffic_light() -> None:
    """Levels without 99 % are refused, for the traffic light has nothing to count."""
    with pytest.raises(ValueError, match=r"levels \(0.95,\) lack 0.99, which the traffic light counts: add it"):
        BackTest((0.95,))
