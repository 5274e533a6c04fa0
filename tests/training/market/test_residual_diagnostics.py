import numpy as np
import pytest
from scipy.stats import chi2

from tests.arch_models import daily_returns
from training.market.residual_diagnostics import LAGS, diagnose_residuals
from training.market.volatility_fit import ModelOrder, fit_volatility_model


def test_statistics_are_those_of_the_textbooks() -> None:
    """Each p-value is that of the formula in its paper, written out."""
    z = np.random.default_rng(4).standard_t(5, 800)
    n = len(z)

    def ljung_box(x: np.ndarray, taken: int) -> float:
        x = x - x.mean()
        r = [np.sum(x[k:] * x[:-k]) / np.sum(x**2) for k in range(1, LAGS + 1)]
        statistic = n * (n + 2) * sum(one**2 / (n - k) for k, one in enumerate(r, 1))
        return float(chi2.sf(statistic, LAGS - taken))

    squares = z**2
    design = np.column_stack([np.ones(n - LAGS), *(squares[LAGS - k : n - k] for k in range(1, LAGS + 1))])
    fitted = design @ np.linalg.lstsq(design, squares[LAGS:], rcond=None)[0]
    r2 = 1 - np.sum((squares[LAGS:] - fitted) ** 2) / np.sum((squares[LAGS:] - squares[LAGS:].mean()) ** 2)
    centred = z - z.mean()
    skew = np.mean(centred**3) / np.mean(centred**2) ** 1.5
    kurtosis = np.mean(centred**4) / np.mean(centred**2) ** 2
    found = diagnose_residuals(z, estimated=2)
    assert found.correlation_p == pytest.approx(ljung_box(z, 0))
    assert found.squares_p == pytest.approx(ljung_box(squares, 2))
    assert found.arch_p == pytest.approx(float(chi2.sf((n - LAGS) * r2, LAGS)))
    assert found.normality_p == pytest.approx(float(chi2.sf(n / 6 * (skew**2 + (kurtosis - 3) ** 2 / 4), 2)), abs=1e-12)


def test_returns_are_rejected_and_residuals_of_a_fit_are_not() -> None:
    """The S&P 500's returns have ARCH, and what GARCH leaves of the crude oil's has none."""
    returns = daily_returns("sp500")
    assert diagnose_residuals(returns / returns.std()).rejected
    fit = fit_volatility_model(daily_returns("nasdaq"), ModelOrder(kind="garch", o=1))
    assert diagnose_residuals(fit.bars.standardised_residual, 2).squares_p > 1e-6


def test_right_models_are_seldom_rejected() -> None:
    """Of 200 samples of independent residuals about one in fifty is rejected."""
    draw = np.random.default_rng(0)
    rejected = sum(diagnose_residuals(draw.standard_normal(500)).rejected for _ in range(200))
    assert rejected <= 10


def test_few_residuals_are_refused() -> None:
    """Ten lags want at least fifty residuals."""
    with pytest.raises(ValueError, match="49 residuals are too few to test 10 lags"):
        diagnose_residuals(np.zeros(49))
