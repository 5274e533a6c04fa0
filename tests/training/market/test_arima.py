from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from statsmodels.tsa.statespace.sarimax import SARIMAX

from risk.forecasts.forecast_model import ForecastModel
from training.market.arima_fit import (
    FittedArima,
    Order,
    choose_arima,
    differenced,
    differences_needed,
    fit_arima,
)
from training.market.arima_graph import deviations, export_arima
from training.market.forecast_parity import check_forecast_export
from training.market.forecaster_fit import FittedForecaster, ForecastFitError, replay
from training.parity import ParityError

AIRLINE = Order(0, 1, 1, seasonal_d=1, seasonal_q=1, period=12)
ORDERS = [
    Order(0, 1, 0),
    Order(2, 1, 1),
    Order(1, 0, 1, constant=True),
    Order(1, 1, 0, constant=True),
    Order(1, 2, 1),
    Order(1, 0, 1, seasonal_p=1, period=5),
    Order(1, 0, 0, seasonal_d=1, seasonal_q=1, period=4),
    Order(1, 2, 1, seasonal_d=1, seasonal_q=1, period=4),
    AIRLINE,
]


def levels(seed: int = 1, count: int = 400) -> NDArray[np.float64]:
    """Return a walk with some memory."""
    draw = np.random.default_rng(seed).standard_normal(count)
    return 50.0 + np.cumsum(draw + 0.4 * np.roll(draw, 1))


def series(folder: Path, name: str) -> NDArray[np.float64]:
    """Return the values of one of the classic series."""
    found: NDArray[np.float64] = np.loadtxt(folder / f"ts/datasets_{name}.csv", delimiter=",", skiprows=1)[:, 1]
    return found


@pytest.mark.parametrize(
    ("name", "ma", "seasonal_ma", "log_likelihood"),
    [("AirPassengers", -0.4018, -0.5569, 244.70), ("USAccDeaths", -0.4303, -0.5528, -425.44)],
)
def test_the_airline_model_is_the_published_one(
    shared_data: Path, name: str, ma: float, seasonal_ma: float, log_likelihood: float
) -> None:
    """Box and Jenkins' model of two classic series has the coefficients and the likelihood that R prints.

    The likelihood is so flat that R's fourth digit lies beyond its top.
    """
    values = series(shared_data, name)
    fitted = fit_arima(np.log(values) if name == "AirPassengers" else values, AIRLINE)
    assert (fitted.ma[0], fitted.ma[11]) == pytest.approx((ma, seasonal_ma), abs=1e-4)
    assert fitted.ma[12] == pytest.approx(fitted.ma[0] * fitted.ma[11])
    assert round(fitted.log_likelihood, 2) == log_likelihood


def test_the_graph_goes_on_as_statsmodels_forecasts(shared_data: Path) -> None:
    """Given its own expectation as the next value, the graph forecasts what statsmodels does of the years to come."""
    values = np.log(series(shared_data, "AirPassengers"))
    fitted = fit_arima(values, AIRLINE)
    made = export_arima(fitted, values, 24)
    model = SARIMAX(values, order=(0, 1, 1), seasonal_order=(0, 1, 1, 12), loglikelihood_burn=13)
    parameters = [fitted.ma[0], fitted.ma[11], fitted.variance]
    expected = model.filter(parameters).get_forecast(25)
    first = expected.predicted_mean[0]
    _, forecast, _ = ForecastModel(made.onnx).run(made.start[None, :], np.array([[first - values[-1]]]))
    np.testing.assert_allclose(first + forecast[0], expected.predicted_mean[1:], rtol=0, atol=1e-9)
    assert forecast[0, 11] == pytest.approx(expected.predicted_mean[12] - first, abs=1e-9)


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_every_order_passes_the_gate(order: Order) -> None:
    """Ten thousand forecasts, extremes among them, equal those of statsmodels' filter to 1e-9 of a deviation."""
    values = levels()
    made = export_arima(fit_arima(values, order), values, 6)
    tried = values if made.value == "level" else np.diff(values)
    assert check_forecast_export(made, tried, tolerance=1e-9, seed=1) < 1e-9
    assert len(made.start) == len(made.neutral) == ForecastModel(made.onnx).state_size


@pytest.mark.parametrize("order", [Order(2, 1, 1), Order(1, 0, 1, constant=True)], ids=str)
def test_the_filter_settles_where_statsmodels_does(order: Order) -> None:
    """From a neutral start, after hundreds of values, the graph's forecasts are those of the exact filter."""
    values = levels(count=600)
    fitted = fit_arima(values, order)
    made = export_arima(fitted, values, 3)
    inputs = values if order.d == 0 else np.diff(values)
    state, forecast, deviation = replay(ForecastModel(made.onnx), made.neutral[None, :], inputs[None, :])
    np.testing.assert_allclose(state[0], made.start, rtol=0, atol=1e-9)
    # With the level within the model, its diffuse start has long been forgotten.
    trend = "c" if order.constant else "n"
    model = SARIMAX(values, order=(order.p, order.d, order.q), trend=trend)
    parameters = fitted.parameters.copy()
    parameters[-1] *= fitted.unit**2
    if order.constant:
        parameters[0] *= fitted.unit
    expected = model.filter(parameters).get_forecast(3)
    np.testing.assert_allclose(values[-1] + forecast[0, -1], expected.predicted_mean, rtol=0, atol=1e-6)
    np.testing.assert_allclose(deviation[0, -1], expected.se_mean, rtol=1e-6)


def test_deviations_grow_as_those_of_a_random_walk() -> None:
    """After h bars a random walk is off by the root of h deviations of one."""
    values = levels()
    fitted = fit_arima(values, Order(0, 1, 0))
    assert deviations(fitted, 4) / np.std(np.diff(values)) == pytest.approx(np.sqrt([1, 2, 3, 4]), rel=0.02)


@pytest.mark.parametrize("criterion", ["aicc", "bic"])
def test_the_order_chosen_has_the_least_criterion(criterion: str) -> None:
    """No order tried does better than the one chosen, and a moving average of one is found as that."""
    draw = np.random.default_rng(4).standard_normal(500)
    values = np.cumsum(draw[1:] + 0.6 * draw[:-1])
    chosen = choose_arima(values, most=1, differences=1, criterion=criterion)  # type: ignore[arg-type]  # parametrised
    others = [fit_arima(values, Order(p, 1, q)) for p in (0, 1) for q in (0, 1)]
    assert getattr(chosen, criterion) <= min(getattr(one, criterion) for one in others)
    assert (chosen.order.p, chosen.order.q) == (0, 1)


def test_the_likelihood_does_not_depend_on_the_unit() -> None:
    """In basis points a yield has the coefficients that it has in percent, and criteria that differ by a constant."""
    values = levels()
    one, other = fit_arima(values, Order(1, 1, 1)), fit_arima(100.0 * values, Order(1, 1, 1))
    assert other.ar[0] == pytest.approx(one.ar[0], abs=1e-6)
    shift = (len(values) - 1) * np.log(100.0)
    assert other.log_likelihood == pytest.approx(one.log_likelihood - shift, abs=1e-4)
    assert other.aicc == pytest.approx(one.aicc + 2.0 * shift, abs=1e-4)


@settings(max_examples=30)
@given(st.integers(0, 2), st.integers(0, 1), st.integers(2, 5), st.integers(20, 40))
def test_differences_are_those_of_the_polynomials(d: int, seasonal_d: int, period: int, count: int) -> None:
    """Differencing is applying (1 - B)^d (1 - B^s)^D, written out as one polynomial."""
    values = np.random.default_rng(count).standard_normal(count)
    polynomial = np.array([1.0])
    for _ in range(d):
        polynomial = np.convolve(polynomial, [1.0, -1.0])
    for _ in range(seasonal_d):
        polynomial = np.convolve(polynomial, [1.0, *([0.0] * (period - 1)), -1.0])
    found = differenced(values, Order(0, d, 0, seasonal_d=seasonal_d, period=period))
    np.testing.assert_allclose(found, np.convolve(values, polynomial, mode="valid"), atol=1e-12)


def test_a_walk_needs_one_difference_and_noise_none() -> None:
    """The test of Kwiatkowski and others tells a random walk from noise about a mean."""
    noise = np.random.default_rng(3).standard_normal(400)
    assert (differences_needed(noise), differences_needed(np.cumsum(noise))) == (0, 1)


def test_what_cannot_be_fitted_is_said() -> None:
    """Too few values, values that never move, and too many differences are errors that say what to do."""
    with pytest.raises(ForecastFitError, match="give 14 or more"):
        fit_arima(levels(count=10), Order(1, 1, 1))
    with pytest.raises(ForecastFitError, match="not all the same"):
        fit_arima(np.ones(100), Order(1, 1, 1))
    fitted = fit_arima(levels(), Order(0, 1, 1))
    with pytest.raises(ForecastFitError, match="differences too often"):
        export_arima(replace(fitted, order=Order(0, 3, 1)), levels(), 2)


def test_a_wrong_graph_does_not_pass() -> None:
    """A graph of other coefficients than its original's is refused, with the worst forecast shown."""
    values = levels()
    fitted = fit_arima(values, Order(1, 1, 1))
    right = export_arima(fitted, values, 2)
    wrong: FittedArima = replace(fitted, ma=fitted.ma + 1e-6)
    graph: FittedForecaster = replace(right, onnx=export_arima(wrong, values, 2).onnx)
    with pytest.raises(ParityError, match=r"ARIMA\(1,1,1\) differs from its original in .* the worst is that of bar"):
        check_forecast_export(graph, np.diff(values), tolerance=1e-9, seed=1)


def test_the_same_fit_has_the_same_bytes() -> None:
    """Two exports of one model are equal byte for byte."""
    values = levels()
    fitted = fit_arima(values, AIRLINE)
    assert export_arima(fitted, values, 3).onnx == export_arima(fitted, values, 3).onnx


def test_a_level_has_its_mean() -> None:
    """Noise about a mean is neither differenced nor given memory, and is forecast to return to its mean."""
    values = 5.0 + 0.1 * np.random.default_rng(3).standard_normal(400)
    chosen = choose_arima(values, most=1)
    assert chosen.order == Order(0, 0, 0, constant=True)
    made = export_arima(chosen, values, 2)
    _, forecast, _ = ForecastModel(made.onnx).run(made.start[None, :], np.array([[5.2]]))
    assert forecast[0] == pytest.approx(values.mean() - 5.2, abs=1e-4)


def test_an_order_that_cannot_be_fitted_is_left_out() -> None:
    """With too few values for the large orders the small ones are chosen from; with too few for any, it is said."""
    assert choose_arima(levels(count=14), differences=1).order.p <= 1
    with pytest.raises(ForecastFitError, match="give 10 or more"):
        choose_arima(levels(count=6), differences=1)
