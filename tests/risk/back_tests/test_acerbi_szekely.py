import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.back_tests.acerbi_szekely import (
    Z2_CRITICAL_1_IN_10_000,
    Z2_CRITICAL_5_PERCENT,
    acerbi_szekely,
    tail_loss_ratio,
)
from risk.distributions.standardised_distribution import standardised_quantile, standardised_shortfall

bars = st.lists(st.tuples(st.floats(-9.0, 9.0), st.floats(0.1, 4.0), st.floats(0.1, 3.0)), min_size=1, max_size=40)


@given(bars, st.sampled_from([0.95, 0.975, 0.99]))
def test_both_statistics_are_their_sums(history: list[tuple[float, float, float]], level: float) -> None:
    """Z1 and Z2 are the sums of the paper, in profits and losses of the paper's sign."""
    losses, values, beyond = np.array(history).T.copy()
    found = acerbi_szekely(losses, values, values + beyond, level)
    profit, hits = -losses, [loss > value for loss, value, _ in history]
    terms = [x / (v + b) for x, v, b, hit in zip(profit, values, beyond, hits, strict=True) if hit]
    assert found.z2 == pytest.approx(sum(terms) / (len(history) * (1.0 - level)) + 1.0, rel=1e-9, abs=1e-9)
    assert found.z1 == pytest.approx(sum(terms) / len(terms) + 1.0 if terms else math.nan, nan_ok=True)


def simulated_z2(shape: tuple[float, float], scale: float, histories: int) -> NDArray[np.float64]:
    """Return Z2 of histories of 250 bars at 97.5 % whose losses are `scale` times what is forecast."""
    draw = np.random.default_rng(11)
    z = draw.standard_normal((histories, 250))
    if not math.isinf(shape[0]):
        z *= np.sqrt((shape[0] - 2.0) / draw.chisquare(shape[0], z.shape))
    value, shortfall = np.full(250, -standardised_quantile(0.025, *shape)), standardised_shortfall(0.025, *shape)
    return np.array([acerbi_szekely(one, value, np.full(250, shortfall), 0.975).z2 for one in scale * z])


@pytest.mark.parametrize("shape", [(math.inf, 0.0), (10.0, 0.0), (5.0, 0.0)])
def test_the_critical_values_hold_whatever_the_tail(shape: tuple[float, float]) -> None:
    """Where the forecast is right Z2 is 0 on average, and below the two values as rarely as the paper says."""
    found = simulated_z2(shape, 1.0, 6_000)
    assert found.mean() == pytest.approx(0.0, abs=0.03)
    assert np.mean(found < Z2_CRITICAL_5_PERCENT) == pytest.approx(0.05, abs=0.012)
    assert np.mean(found < Z2_CRITICAL_1_IN_10_000) < 0.0015


def test_greater_losses_than_forecast_are_found() -> None:
    """Where deviations are half as great again as forecast, most histories of a year are below the 5 % value."""
    assert np.mean(simulated_z2((math.inf, 0.0), 1.5, 500) < Z2_CRITICAL_5_PERCENT) > 0.9


@given(st.floats(-1e43, 100.0), st.floats(-1e43, 100.0))
def test_no_forecast_makes_the_ratio_infinite(loss: float, shortfall: float) -> None:
    """A forecast of nothing, or of a gain, gives a finite ratio."""
    assert math.isfinite(tail_loss_ratio(loss, shortfall))
