import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import ttest_1samp

from training.market.arima_fit import Order, fit_arima
from training.market.arima_graph import export_arima
from training.market.diebold_mariano import compare_forecasts
from training.market.forecaster_fit import FittedForecaster, future_changes
from training.market.forecasters import scaled_segments
from training.market.lag_regression import fit_lag_regression
from training.market.walk_forward import Fit, WalkForward, skill, verdict, walk_forward

HORIZON_BARS = 3


def moving_average(past: NDArray[np.float64]) -> FittedForecaster:
    """Fit ARIMA(0,1,1)."""
    return export_arima(fit_arima(past, Order(0, 1, 1)), past, HORIZON_BARS)


def regression(past: NDArray[np.float64]) -> FittedForecaster:
    """Fit a linear regression on lags."""
    changes = np.diff(past)
    return fit_lag_regression([(changes, future_changes(changes, HORIZON_BARS))], degree=1)


def reverting(past: NDArray[np.float64]) -> FittedForecaster:
    """Fit an autoregression of the level about its mean."""
    return export_arima(fit_arima(past, Order(1, 0, 0, constant=True)), past, HORIZON_BARS)


def scaled_regression(past: NDArray[np.float64]) -> FittedForecaster:
    """Fit a linear regression of changes in running deviations."""
    changes = np.diff(past)
    segments = scaled_segments({"": changes}, {"": float(np.std(changes))}, HORIZON_BARS, 0.97)
    return fit_lag_regression(segments, degree=1)


def levels(seed: int, count: int, memory: float = 0.0) -> NDArray[np.float64]:
    """Return a walk whose changes depend on the one before."""
    changes = np.random.default_rng(seed).standard_normal(count)
    for at in range(1, count):
        changes[at] += memory * changes[at - 1]
    return np.cumsum(changes)


@pytest.mark.parametrize("fit", [moving_average, regression, reverting, scaled_regression])
@settings(max_examples=5)
@given(seed=st.integers(0, 1000), at=st.integers(101, 159), other=st.floats(-1e3, 1e3))
def test_a_future_value_cannot_change_a_past_forecast(fit: Fit, seed: int, at: int, other: float) -> None:
    """Whatever a level and all behind it are, the forecasts as of bars before are the same bit for bit."""
    decay = 0.97 if fit is scaled_regression else None
    before = levels(seed, 160)
    after = before.copy()
    after[at:] = other + np.arange(160 - at) ** 2.0
    one, changed = (
        walk_forward(values, fit, first=100, refit_every=25, deviation_decay=decay) for values in (before, after)
    )
    assert one.forecast[: at - 100].tobytes() == changed.forecast[: at - 100].tobytes()
    assert one.deviation[: at - 100].tobytes() == changed.deviation[: at - 100].tobytes()
    assert one.forecast[at - 100 :].tobytes() != changed.forecast[at - 100 :].tobytes()


def test_forecasts_do_not_depend_on_where_the_series_ends() -> None:
    """Walked over a shorter series, the same bars have the same forecasts, in a rolling window too."""
    values = levels(2, 260)
    for window in (None, 90):
        whole = walk_forward(values, regression, first=100, refit_every=40, window_bars=window)
        part = walk_forward(values[:200], regression, first=100, refit_every=40, window_bars=window)
        assert whole.forecast[:100].tobytes() == part.forecast.tobytes()


def test_a_window_forgets_what_lies_before() -> None:
    """In a rolling window, levels before it change nothing, but do when it expands."""
    values = levels(3, 220)
    other = values.copy()
    other[:40] = values[:40] * 2.0 - values[40]
    for window, same in ((80, True), (None, False)):
        one, two = (walk_forward(v, regression, first=150, refit_every=30, window_bars=window) for v in (values, other))
        assert (one.forecast.tobytes() == two.forecast.tobytes()) is same


def test_what_can_be_forecast_beats_the_random_walk() -> None:
    """Changes that half repeat are forecast with skill, and the verdict says so."""
    values = levels(4, 1_200, memory=0.5)
    found = skill(values, walk_forward(values, regression, first=400, refit_every=200))
    assert found.forecasts == 799
    assert found.rmse_ratio == pytest.approx(np.sqrt(0.75), abs=0.03)
    assert found.statistic < -4.0
    assert found.hit_rate > 0.6
    assert found.coverage_90 == pytest.approx(0.9, abs=0.03)
    assert verdict({"regression": found}).startswith("The random walk is beaten by regression (0.8")


def test_nothing_beats_the_random_walk_on_a_random_walk() -> None:
    """A walk cannot be forecast, and the verdict says that nothing does."""
    values = levels(5, 900)
    found = {
        "moving average": skill(values, walk_forward(values, moving_average, first=300, refit_every=200)),
        "regression": skill(values, walk_forward(values, regression, first=300, refit_every=200)),
    }
    assert verdict(found).startswith("Nothing beats the random walk here: the nearest is ")


def test_skill_compares_a_forecast_with_the_change_that_came() -> None:
    """A forecast that knew the future has no error, so many bars ahead, and one of no change is the random walk."""
    later = levels(6, 120 + HORIZON_BARS)
    values, first = later[:120], 100
    known = WalkForward(first, future_changes(np.diff(later), HORIZON_BARS)[first - 1 :], np.ones((20, HORIZON_BARS)))
    for bars in (1, 3):
        found = skill(values, known, ahead_bars=bars)
        assert (round(found.mase, 12), found.hit_rate, found.coverage_90) == (0.0, 1.0, 1.0)
    still = WalkForward(first, np.zeros((20, HORIZON_BARS)), np.ones((20, HORIZON_BARS)))
    walk = skill(values, still, ahead_bars=1)
    assert (walk.forecasts, walk.mase, walk.rmse_ratio, walk.statistic, walk.p_value) == (19, 1.0, 1.0, 0.0, 1.0)


def test_one_bar_ahead_the_test_is_students() -> None:
    """Without autocovariances the corrected statistic is that of Student's test of the mean, and so is its p value."""
    draw = np.random.default_rng(7)
    one, other = draw.standard_normal(40) ** 2, draw.standard_normal(40) ** 2
    expected = ttest_1samp(one - other, 0.0)
    found = compare_forecasts(one, other, 1)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-12)
    turned = compare_forecasts(other, one, 1)
    assert turned.statistic == -found.statistic


def test_several_bars_ahead_the_variance_counts_neighbours() -> None:
    """Three bars ahead, the variance is that of the mean with two autocovariances, written out by hand."""
    difference = np.random.default_rng(8).standard_normal(50)
    count, centred = 50, difference - difference.mean()
    covariances = [sum(centred[i] * centred[i - lag] for i in range(lag, count)) / count for lag in range(3)]
    variance = (covariances[0] + 2.0 * covariances[1] + 2.0 * covariances[2]) / count
    corrected = difference.mean() / np.sqrt(variance) * np.sqrt((count + 1 - 6 + 6 / count) / count)
    found = compare_forecasts(difference, np.zeros(count), 3)
    assert found.statistic == pytest.approx(corrected, rel=1e-12)


def test_what_cannot_be_walked_is_said() -> None:
    """A first bar outside the series, and too few losses, are errors that say what to give."""
    with pytest.raises(ValueError, match="give one from 2 to 9"):
        walk_forward(levels(1, 10), regression, first=10, refit_every=5)
    with pytest.raises(ValueError, match="give 7 or more"):
        compare_forecasts(np.ones(6), np.zeros(6), 5)
