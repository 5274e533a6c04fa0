import time

import numpy as np
import pytest
from numpy.typing import NDArray

from risk.forecasts.forecast_step import Forecasts
from training.market.forecaster_fit import ForecastFitError
from training.market.forecasters import MIN_CHANGES, FittedForecasters, fit_forecasters


def levels(seed: int, count: int, deviation: float) -> NDArray[np.float64]:
    """Return 100 times the log of a price."""
    return 460.0 + np.cumsum(deviation * np.random.default_rng(seed).standard_normal(count))


LEVELS = {
    "A": levels(1, 300, 1.0),
    "B": levels(2, 320, 0.05),
    "short": levels(3, MIN_CHANGES, 1.0),
    "still": np.ones(300),
}


@pytest.fixture(scope="module")
def fitted() -> FittedForecasters:
    """Give the forecasters of a few keys, with a season of 5 bars."""
    return fit_forecasters(LEVELS, horizon_bars=3, period=5)


def test_keys_with_history_have_forecasters_of_their_own(fitted: FittedForecasters) -> None:
    """Every model has a pooled entry, and one of each key that has enough changes and moves."""
    models = ("arima", "seasonal_arima", "linear_regression", "polynomial_regression")
    assert fitted.parameters.models() == models
    entries = {(one.model, one.key) for one in fitted.parameters.forecasters}
    assert entries == {(model, key) for model in models for key in ("*", "A", "B")}
    assert {one.file for one in fitted.parameters.forecasters} == set(fitted.files)
    assert max(fitted.differences.values()) < 1e-9


def test_the_stream_goes_on_where_training_ended(fitted: FittedForecasters) -> None:
    """A key that training knew starts from its last state, another from a neutral one, and both are forecast."""
    step = Forecasts(fitted.parameters, fitted.files)
    changes = np.array([0.01, 1.0])
    bars = step.advance(["B", "unseen"], np.array([460.0, 5.0]), changes)
    assert bars.forecast.shape == (2, 4, 3)
    assert np.all(bars.high_90 > bars.low_90)
    # B moves a twentieth of what a typical key does, and its intervals know that.
    width = bars.high_90[:, :, 0] - bars.low_90[:, :, 0]
    assert np.all(width[0] < 0.5 * width[1])


def test_unseen_keys_get_intervals_of_their_own_scale(fitted: FittedForecasters) -> None:
    """After some hundred bars, nine in ten changes of an unseen key fall within its intervals, wild or calm."""
    step = Forecasts(fitted.parameters, fitted.files)
    for key, deviation in (("calm", 0.005), ("wild", 50.0)):
        changes = deviation * np.random.default_rng(9).standard_normal(1_500)
        bars = step.advance([key] * 1_500, 460.0 + np.cumsum(changes), changes)
        assert np.all(np.abs(bars.coverage_90[-1] - 0.9) < 0.05)
        assert np.all(bars.mase[-1] < 1.1)


def test_the_same_history_has_the_same_bytes() -> None:
    """Fitted again, its keys in another order, parameters and graphs are equal, in seconds."""
    begun = time.process_time()
    one = fit_forecasters(LEVELS, horizon_bars=2)
    assert time.process_time() - begun < 30.0
    other = fit_forecasters(dict(reversed(LEVELS.items())), horizon_bars=2)
    assert other.parameters == one.parameters
    assert other.files == one.files


def test_too_short_a_history_is_said() -> None:
    """Where no key has changes enough, the error says how many bars the longest has."""
    with pytest.raises(ForecastFitError, match="the longest history has 250 bars"):
        fit_forecasters({"short": LEVELS["short"]})
