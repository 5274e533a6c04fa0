import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from statsmodels.tsa.stattools import acf

from training.market.report import ModelQuantiles
from training.market.report_diagnostics import LAGS, autocorrelations, quantiles, residual_tests

PROBABILITY = np.concatenate(
    [np.geomspace(1e-5, 0.02, 60), np.linspace(0.025, 0.975, 120), 1.0 - np.geomspace(0.02, 1e-5, 60)]
)
NORMAL = ModelQuantiles("normal", PROBABILITY, np.asarray(stats.norm.ppf(PROBABILITY)))


def draws(count: int) -> NDArray[np.float64]:
    """Return normal draws."""
    return np.random.default_rng(7).standard_normal(count)


def test_autocorrelations_are_those_of_statsmodels() -> None:
    """They equal an independent library's, of persistent values too."""
    values = np.cumsum(draws(500))
    np.testing.assert_allclose(autocorrelations(values), acf(values, nlags=LAGS)[1:], rtol=1e-12)


def test_values_all_alike_have_no_autocorrelation() -> None:
    """Zeros, and not a division by zero."""
    assert autocorrelations(np.ones(100)).tolist() == [0.0] * LAGS


@pytest.mark.parametrize("count", [50, 399, 400, 401, 5000])
def test_residuals_lie_against_the_quantiles_of_their_ranks(count: int) -> None:
    """Each point is an order statistic against the normal quantile of its rank, and both tails are whole."""
    z = draws(count)
    found = quantiles(z, NORMAL)
    ranks = np.searchsorted(np.sort(z), found.observed) + 1
    np.testing.assert_allclose(found.expected, stats.norm.ppf((ranks - 0.375) / (count + 0.25)), atol=5e-3)
    assert len(found.expected) <= 400
    tail = min(count, 100)
    assert ranks[:tail].tolist() == list(range(1, tail + 1))
    assert ranks[-tail:].tolist() == list(range(count - tail + 1, count + 1))


def test_bounds_hold_residuals_of_the_model_as_often_as_they_say() -> None:
    """Of many samples of the model, each point lies within the bounds in about 95 of 100."""
    random = np.random.default_rng(3)
    inside = []
    for _ in range(400):
        found = quantiles(random.standard_normal(100), NORMAL)
        inside.append((found.low <= found.observed) & (found.observed <= found.high))
    shares = np.mean(inside, axis=0)
    assert shares.mean() == pytest.approx(0.95, abs=0.01)
    assert shares.min() > 0.9


def test_a_model_of_few_quantiles_is_shown_where_it_has_some() -> None:
    """Beyond the outermost quantiles of a model nothing is made up."""
    middle = ModelQuantiles("middle", np.array([0.25, 0.75]), np.array([-0.67, 0.67]))
    found = quantiles(draws(200), middle)
    assert 90 < len(found.expected) < 110
    assert np.abs(found.expected).max() <= 0.67


def test_right_residuals_pass_and_those_with_memory_do_not() -> None:
    """Tests find no fault with independent normal draws, and tell of swings that follow each other."""
    fair = {one.name: one for one in residual_tests(draws(2000))}
    assert all(one.p_value > 0.05 for one in fair.values())
    swinging = draws(2000) * np.repeat([0.5, 2.0], 1000)
    found = {one.name: one for one in residual_tests(swinging)}
    assert found["ARCH-LM"].p_value < 1e-6
    assert found["Ljung-Box, z squared"].p_value < 1e-6
    assert found["Jarque-Bera"].p_value < 1e-6
    assert "does not foresee" in found["ARCH-LM"].verdict


def test_the_statistics_are_those_of_the_formulas() -> None:
    """Ljung and Box's statistic, and Jarque and Bera's, as they are written in the papers."""
    z = draws(300)
    found = {one.name: one for one in residual_tests(z)}
    rho = acf(z, nlags=LAGS)[1:]
    box = 300 * 302 * sum(rho[lag - 1] ** 2 / (300 - lag) for lag in range(1, LAGS + 1))
    assert found["Ljung-Box, z"].statistic == pytest.approx(box)
    assert found["Ljung-Box, z"].p_value == pytest.approx(stats.chi2.sf(box, LAGS))
    bera = 300 / 6 * (stats.skew(z) ** 2 + stats.kurtosis(z) ** 2 / 4)
    assert found["Jarque-Bera"].statistic == pytest.approx(bera)


@pytest.mark.parametrize("z", [np.zeros(500), np.ones(3), np.zeros(0)])
def test_nothing_is_told_of_residuals_that_tell_nothing(z: NDArray[np.float64]) -> None:
    """Too few, or all alike: no tests."""
    assert residual_tests(z) == ()
