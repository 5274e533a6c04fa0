from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import PolynomialFeatures
from statsmodels.regression.linear_model import OLS

from risk.forecasts.forecast_model import ForecastModel
from training.market.forecast_parity import check_forecast_export, parity_series
from training.market.forecaster_fit import ForecastFitError, future_changes, replay
from training.market.lag_regression import Segments, fit_lag_regression, information
from training.parity import ParityError

HORIZON_BARS = 3


def segments_of(*seeds: int, memory: float = 0.5, count: int = 400) -> Segments:
    """Return changes that depend on the one before, of a key for each seed."""
    found = []
    for seed in seeds:
        changes = np.random.default_rng(seed).standard_normal(count)
        for at in range(1, count):
            changes[at] += memory * changes[at - 1]
        found.append((changes, future_changes(changes, HORIZON_BARS)))
    return found


def together(segments: Segments) -> NDArray[np.float64]:
    """Return the changes of all keys."""
    return np.concatenate([changes for changes, _ in segments])


@pytest.mark.parametrize("degree", [1, 2])
def test_forecasts_are_those_of_scikit_learn(degree: int) -> None:
    """On the rows that all lags reach, forecasts equal a regression by scikit-learn on the same lags."""
    segments = segments_of(1)
    changes, ahead = segments[0]
    made = fit_lag_regression(segments, degree=degree)
    lags = len(made.neutral)
    most = 10 if degree == 1 else 3
    rows = np.arange(most - 1, len(ahead))
    windows = np.stack([changes[row - lags + 1 : row + 1] for row in rows])
    features = PolynomialFeatures(degree, include_bias=False).fit_transform(windows)
    expected = LinearRegression().fit(features, ahead[rows]).predict(features)
    _, found, _ = replay(ForecastModel(made.onnx), made.neutral[None, :], changes[None, :])
    np.testing.assert_allclose(found[0, rows], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("degree", [1, 2])
def test_every_degree_passes_the_gate(degree: int) -> None:
    """Ten thousand forecasts, extremes among them, equal scikit-learn's features times the coefficients."""
    segments = segments_of(1, 2)
    made = fit_lag_regression(segments, degree=degree)
    assert check_forecast_export(made, together(segments), tolerance=1e-9, seed=1) < 1e-9


def test_a_graph_that_is_a_bar_early_does_not_pass() -> None:
    """A graph whose forecasts its original makes one bar later is refused."""
    segments = segments_of(1)
    made = fit_lag_regression(segments, degree=1)
    late = replace(made, original=lambda series: made.original(np.roll(series, 1, axis=1)))
    with pytest.raises(ParityError, match="differs from its original"):
        check_forecast_export(late, together(segments), tolerance=1e-9, seed=1)


def test_the_state_is_the_last_changes() -> None:
    """The start is the window after the last change, the newest last."""
    segments = segments_of(3)
    made = fit_lag_regression(segments, degree=2)
    assert made.start.tolist() == segments[0][0][-len(made.start) :].tolist()


def test_a_window_holds_changes_of_one_key_alone() -> None:
    """The order of keys does not matter, as it would if windows reached from one into the next."""
    one = fit_lag_regression(segments_of(1, 2, 3), degree=2)
    other = fit_lag_regression(segments_of(3, 1, 2), degree=2)
    value = np.array([[0.3]])
    state = np.full((1, len(one.neutral)), 0.7)
    first, second = (ForecastModel(made.onnx).run(state, value)[1] for made in (one, other))
    np.testing.assert_allclose(first, second, rtol=1e-9)


@pytest.mark.parametrize(("criterion", "name"), [("aicc", "aic"), ("bic", "bic")])
def test_the_criterion_is_that_of_statsmodels(criterion: str, name: str) -> None:
    """AICc is statsmodels' AIC with Hurvich and Tsai's correction; both count the variance as a parameter."""
    draw = np.random.default_rng(1)
    features = np.concatenate([np.ones((50, 1)), draw.standard_normal((50, 2))], axis=1)
    fitted = OLS(features @ [1.0, 2.0, 0.0] + draw.standard_normal(50), features).fit()
    more = 4 - 3
    expected = getattr(fitted, name) + more * (2.0 if name == "aic" else np.log(50))
    if name == "aic":
        expected += 2.0 * 4 * 5 / (50 - 4 - 1)
    assert information(fitted.resid, 4, criterion) == pytest.approx(expected, rel=1e-12)


def test_deviations_cover_what_came() -> None:
    """The interval of 90 % about a forecast holds 90 % of changes, one bar and three bars ahead."""
    segments = segments_of(5, count=4_000)
    made = fit_lag_regression(segments, degree=1)
    changes, ahead = segments[0]
    _, forecast, deviation = replay(ForecastModel(made.onnx), made.neutral[None, :], changes[None, : len(ahead)])
    covered = np.mean(np.abs(ahead - forecast[0]) <= 1.6449 * deviation[0], axis=0)
    assert np.all(np.abs(covered - 0.9) < 0.02)


def test_too_short_a_history_is_said() -> None:
    """Too few rows, or none that vary, are an error that says how many are needed."""
    with pytest.raises(ForecastFitError, match="give 30 or more"):
        fit_lag_regression(segments_of(1, count=30), degree=1)
    still = np.zeros(100)
    with pytest.raises(ForecastFitError, match="not all the same"):
        fit_lag_regression([(still, future_changes(still, 2))], degree=1)


def test_the_gate_draws_extremes() -> None:
    """Half the series are stretches of the values as they are, the others have values a million times as great."""
    values = np.random.default_rng(1).standard_normal(300)
    drawn = parity_series(values, 700, seed=1)
    assert drawn.size >= 10_000
    assert np.isin(drawn[1::2], values).all()
    assert np.abs(drawn[::2]).max() > 1e6
