import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, stats

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.portfolios.portfolio_value_at_risk import (
    MOST_PERCENT,
    MOST_SIMULATED_BARS,
    historical_tails,
    loss_tail,
    marginal_deviations,
    scaled_tails,
    scenario_losses,
)

LEVELS, HORIZONS = (0.95, 0.975, 0.99), (1, 10)
seeds = st.integers(0, 2**32 - 1)


def portfolio(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return exposures, long and short, deviations in percent, and a correlation matrix of some symbols."""
    draw = np.random.default_rng(seed)
    count = int(draw.integers(1, 8))
    factors = draw.normal(size=(count, count + 1))
    factors /= np.linalg.norm(factors, axis=1)[:, None]
    return draw.normal(0.0, 1e5, count), draw.gamma(2.0, 0.5, count), factors @ factors.T


@given(seeds)
def test_the_deviation_is_the_root_of_the_quadratic_form(seed: int) -> None:
    """The deviation is that of numpy's quadratic form; the parts are its gradient by the exposures times these."""
    exposures, deviations, correlation = portfolio(seed)
    covariance = correlation * np.outer(deviations, deviations) / 1e4
    expected = np.sqrt(exposures @ covariance @ exposures)
    deviation, parts = marginal_deviations(exposures, deviations, correlation)
    assert deviation == pytest.approx(expected, rel=1e-9)
    assert parts.sum() == pytest.approx(deviation, rel=1e-9)
    np.testing.assert_allclose(
        parts, exposures * (covariance @ exposures) / expected, rtol=1e-6, atol=1e-9 * float(expected)
    )


def test_a_perfect_hedge_has_no_risk() -> None:
    """Two symbols that move as one, one held and one owed, cancel, and so do their parts."""
    one = np.ones((2, 2))
    deviation, parts = marginal_deviations(np.array([100.0, -100.0]), np.array([1.3, 1.3]), one)
    assert (deviation, parts.tolist()) == (0.0, [0.0, 0.0])


def test_normal_and_student_tails_are_those_of_scipy() -> None:
    """Quantiles are scipy's, and the expected shortfall is their mean beyond the level, found by integration."""
    for distribution, peer in (
        (StandardisedDistribution("normal"), stats.norm()),
        (StandardisedDistribution("t", 5.0), stats.t(5.0, scale=np.sqrt(3.0 / 5.0))),
    ):
        value_at_risk, shortfall = scaled_tails(2.5, distribution, LEVELS, HORIZONS)
        for at, level in enumerate(LEVELS):
            mean, _ = integrate.quad(peer.ppf, level, 1.0)
            for number, bars in enumerate(HORIZONS):
                scale = 2.5 * np.sqrt(bars)
                assert value_at_risk[at, number] == pytest.approx(scale * peer.ppf(level), rel=1e-9)
                assert shortfall[at, number] == pytest.approx(scale * mean / (1.0 - level), rel=1e-6)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=600), st.sampled_from(LEVELS))
def test_the_tail_of_losses_is_numpy_s_quantile(losses: list[float], level: float) -> None:
    """The value at risk is the inverted distribution function, and the shortfall the mean of the worst."""
    found = np.array(losses)
    value_at_risk, shortfall = loss_tail(found, level)
    # A hair below the level, as 0.95 of 500 must not be a rounding more than 475.
    assert value_at_risk == np.quantile(found, level - 1e-12, method="inverted_cdf")
    descending = sorted(losses, reverse=True)
    share, weight, total = len(losses) * (1.0 - level), 0.0, 0.0
    for loss in descending:
        part = min(1.0, share - weight)
        total, weight = total + part * loss, weight + part
        if weight >= share:
            break
    assert shortfall == pytest.approx(max(total / share, value_at_risk), rel=1e-7, abs=1e-3)
    assert shortfall >= value_at_risk


@given(seeds, st.integers(1, 12))
def test_scenarios_revalue_every_position(seed: int, horizon: int) -> None:
    """Each stretch of bars gives the loss that a plain loop finds, position by position."""
    exposures, deviations, _ = portfolio(seed)
    residuals = np.random.default_rng(seed + 1).standard_t(3, size=(horizon + 7, len(exposures)))
    found = scenario_losses(residuals, exposures, deviations, horizon)
    assert len(found) == 8
    for at in range(8):
        returns = residuals[at : at + horizon].sum(axis=0) * deviations / 100.0
        assert found[at] == pytest.approx(-np.sum(exposures * (np.exp(returns) - 1.0)), rel=1e-9, abs=1e-6)


def test_no_move_makes_an_infinite_loss() -> None:
    """What is owed and rises beyond all measure loses a number."""
    (loss,) = scenario_losses(np.array([[1e300]]), np.array([-1.0]), np.array([1.0]), 1)
    assert loss == np.expm1(MOST_PERCENT / 100.0)


def test_the_tails_of_history_are_those_of_its_losses() -> None:
    """By horizon, the losses of all stretches of so many bars, or of one bar scaled where these are too long."""
    residuals = np.random.default_rng(8).standard_t(4, size=(400, 3))
    exposures, deviations = np.array([1e4, -5e3, 2e4]), np.array([1.0, 2.0, 0.5])
    horizons = (1, 10, MOST_SIMULATED_BARS, 100)
    value_at_risk, shortfall = historical_tails(residuals, exposures, deviations, LEVELS, horizons)
    for number, bars in enumerate(horizons[:3]):
        losses = scenario_losses(residuals, exposures, deviations, bars)
        for at, level in enumerate(LEVELS):
            assert (value_at_risk[at, number], shortfall[at, number]) == loss_tail(losses, level)
    np.testing.assert_allclose(value_at_risk[:, 3], 10.0 * value_at_risk[:, 0], rtol=1e-15)
    np.testing.assert_allclose(shortfall[:, 3], 10.0 * shortfall[:, 0], rtol=1e-15)


def test_history_of_normal_residuals_agrees_with_the_normal() -> None:
    """Of 20,000 joint normal residuals, simulation finds the variance-covariance value at risk to a few percent."""
    exposures, deviations, correlation = portfolio(12)
    residuals = np.random.default_rng(3).multivariate_normal(np.zeros(len(exposures)), correlation, 20_000)
    deviation, _ = marginal_deviations(exposures, deviations / 100.0, correlation)
    normal = scaled_tails(deviation, StandardisedDistribution("normal"), LEVELS, HORIZONS)
    history = historical_tails(residuals, exposures, deviations / 100.0, LEVELS, HORIZONS)
    np.testing.assert_allclose(history[0][:, 0], normal[0][:, 0], rtol=0.05)
    np.testing.assert_allclose(history[1][:, 0], normal[1][:, 0], rtol=0.05)
