import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from sklearn.metrics import mean_pinball_loss, root_mean_squared_error

from risk.forecasts.forecast_skill import (
    BARS,
    COVERAGE,
    FIGURES,
    HIT_RATE,
    MASE,
    MOST_MASE,
    QUANTILE_LOSS,
    RMSE,
    SUMS,
    Z_90,
    score_forecast,
    skill_figures,
)

numbers = st.one_of(st.floats(-1e4, 1e4), st.just(0.0))
scored = st.lists(st.tuples(numbers, numbers, st.floats(1e-6, 1e4)), min_size=1, max_size=60)


def figures(history: list[tuple[float, float, float]], keep: float) -> list[float]:
    """Return the figures after (change, forecast, deviation) of every bar."""
    sums = np.zeros(SUMS)
    for change, forecast, deviation in history:
        score_forecast(sums, change, forecast, deviation, keep)
    return list(map(float, skill_figures(sums)))


def test_the_interval_holds_90_percent() -> None:
    """Z_90 is scipy's 95 % quantile of the normal distribution."""
    assert pytest.approx(norm.ppf(0.95), rel=1e-15) == Z_90


@given(scored)
def test_without_forgetting_the_figures_are_those_of_scikit_learn(history: list[tuple[float, float, float]]) -> None:
    """Remembering all, RMSE and quantile losses equal scikit-learn's, and the rest plain means."""
    change, forecast, deviation = np.array(history).T
    found = figures(history, 1.0)
    low, high = forecast - Z_90 * deviation, forecast + Z_90 * deviation
    losses = [
        mean_pinball_loss(change, quantile, alpha=level)
        for quantile, level in ((low, 0.05), (forecast, 0.5), (high, 0.95))
    ]
    assert found[BARS] == len(history)
    assert found[RMSE] == pytest.approx(root_mean_squared_error(change, forecast), rel=1e-9, abs=1e-12)
    assert found[QUANTILE_LOSS] == pytest.approx(np.mean(losses), rel=1e-9, abs=1e-12)
    assert found[COVERAGE] == pytest.approx(np.mean((low <= change) & (change <= high)))
    error, walk = np.mean(np.abs(change - forecast)), np.mean(np.abs(change))
    if error > 0.0 and walk * MOST_MASE > 2.0 * error:
        assert found[MASE] == pytest.approx(error / walk, rel=1e-9)
    directed = (change != 0.0) & (forecast != 0.0)
    right = np.sign(change[directed]) == np.sign(forecast[directed])
    assert found[HIT_RATE] == pytest.approx(np.mean(right) if directed.any() else 0.5)


@given(scored, st.floats(0.9, 0.999))
def test_the_past_is_forgotten_by_a_constant_factor(history: list[tuple[float, float, float]], keep: float) -> None:
    """Errors count with weights written out, powers of the factor."""
    weights = [keep ** (len(history) - 1 - at) for at in range(len(history))]
    squares = [w * (x - f) ** 2 for w, (x, f, _) in zip(weights, history, strict=True)]
    found = figures(history, keep)
    assert found[BARS] == pytest.approx(math.fsum(weights))
    assert found[RMSE] == pytest.approx(math.sqrt(math.fsum(squares) / math.fsum(weights)), rel=1e-9, abs=1e-150)


@given(scored)
def test_the_random_walk_has_a_mase_of_1(history: list[tuple[float, float, float]]) -> None:
    """A forecast of no change is the random walk's: MASE 1 exactly, and no direction is right or wrong."""
    found = figures([(change, 0.0, deviation) for change, _, deviation in history], 0.99)
    assert (found[MASE], found[HIT_RATE]) == (1.0, 0.5)


@given(scored)
def test_figures_are_finite_and_within_their_bounds(history: list[tuple[float, float, float]]) -> None:
    """Shares lie in [0, 1], MASE under its cap, nothing is below 0 or infinite."""
    found = figures(history, 0.97)
    assert len(found) == FIGURES
    assert all(math.isfinite(one) and one >= 0.0 for one in found)
    assert found[HIT_RATE] <= 1.0
    assert found[COVERAGE] <= 1.0
    assert found[MASE] <= MOST_MASE
