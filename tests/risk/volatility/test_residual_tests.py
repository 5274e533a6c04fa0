import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.diagnostic import acorr_ljungbox

from risk.volatility.residual_tests import LAGS, RESIDUALS, ResidualTests
from tests.arch_models import daily_returns
from training.market.volatility_fit import ModelOrder, fit_volatility_model


@pytest.mark.parametrize("seed", range(5))
def test_p_values_are_those_of_statsmodels(seed: int) -> None:
    """Ljung and Box's test of the last residuals and of their squares gives what statsmodels gives."""
    residuals = np.random.default_rng(seed).standard_t(5, 700)
    found = ResidualTests().advance(["X"] * 700, residuals)
    for at in (RESIDUALS - 1, 600, 699):
        last = residuals[at + 1 - RESIDUALS : at + 1]
        for p, values in ((found.correlation_p, last), (found.squares_p, last**2)):
            expected = acorr_ljungbox(values, lags=[LAGS]).lb_pvalue.item()
            assert p[at] == pytest.approx(expected, rel=1e-9)
        squares = last**2
        error = (squares.mean() - 1.0) / (squares.std() / np.sqrt(RESIDUALS))
        assert found.scale_p[at] == pytest.approx(2.0 * norm.sf(abs(error)), rel=1e-9)


def test_nothing_is_said_of_few_residuals() -> None:
    """Until the window is full every p-value is 1."""
    found = ResidualTests().advance(["X"] * (RESIDUALS - 1), np.full(RESIDUALS - 1, 9.0))
    assert (found.correlation_p == 1.0).all()
    assert (found.scale_p == 1.0).all()
    assert not found.rejected.any()


def test_clustered_residuals_reject_and_independent_ones_do_not() -> None:
    """Residuals whose size follows a cycle reject the model; none of ten independent series does."""
    random = np.random.default_rng(3)
    cycle = np.where(np.arange(1_000) // 50 % 2, 1.4, 0.4)
    assert ResidualTests().advance(["X"] * 1_000, cycle * random.standard_normal(1_000)).rejected[-1]
    for _ in range(10):
        assert not ResidualTests().advance(["X"] * 1_000, random.standard_normal(1_000)).rejected.any()


def test_variance_that_is_forecast_too_low_rejects() -> None:
    """Residuals of deviation 1.5 reject, though they do not cluster."""
    residuals = 1.5 * np.random.default_rng(4).standard_normal(1_000)
    found = ResidualTests().advance(["X"] * 1_000, residuals)
    assert found.rejected[-1]
    assert found.squares_p[-1] > 0.001 > found.scale_p[-1]


def test_a_symbol_that_is_forgotten_begins_anew() -> None:
    """After a new model only its own residuals count."""
    step = ResidualTests()
    step.advance(["X"] * RESIDUALS, 3.0 * np.random.default_rng(5).standard_normal(RESIDUALS))
    step.forget("X")
    assert step.advance(["X"], np.array([1.0])).scale_p[0] == 1.0
    assert step.dump() != {}


def test_returns_are_rejected_and_residuals_of_a_fit_are_not() -> None:
    """The S&P 500's returns have ARCH, and what GJR-GARCH leaves of the Nasdaq's has next to none."""
    returns = daily_returns("sp500")
    assert ResidualTests().advance(["X"] * len(returns), returns / returns.std()).rejected.any()
    fit = fit_volatility_model(daily_returns("nasdaq"), ModelOrder(kind="garch", o=1))
    residuals = fit.bars.standardised_residual
    assert ResidualTests().advance(["X"] * len(residuals), residuals).squares_p[-1] > 1e-6
