import arch.data.sp500
import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from risk.bars.realised_variance import parkinson_variance_percent2
from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.volatility_model import Har
from risk.volatility.volatility_models import VolatilityModels
from training.market.har_fit import fit_har
from training.market.volatility_fit import FitError


def sp500() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the S&P 500's daily log returns in percent, and each day's variance from its range."""
    frame = arch.data.sp500.load()
    close = np.log(frame["Adj Close"].to_numpy(dtype=np.float64))
    prices = zip(frame["High"].to_list(), frame["Low"].to_list(), strict=True)
    ranges = [parkinson_variance_percent2(high, low) for high, low in prices]
    return 100 * np.diff(close), np.array(ranges[1:])


def test_coefficients_are_those_of_ordinary_least_squares() -> None:
    """On twenty years of ranges no coefficient is negative, and all are statsmodels' of the same regression."""
    returns, realised = sp500()
    model = fit_har(returns, realised).model
    assert isinstance(model, Har)
    rows = range(22, len(realised))
    design = np.array([[1, realised[t - 1], realised[t - 5 : t].mean(), realised[t - 22 : t].mean()] for t in rows])
    expected = sm.OLS(realised[22:], design).fit().params
    assert (expected > 0).all()
    assert [model.constant, model.daily, model.weekly, model.monthly] == pytest.approx(expected.tolist(), rel=1e-8)


@pytest.mark.parametrize("distribution", ["normal", "t", "skewt"])
def test_residuals_are_standardised_and_the_stream_goes_on(distribution: str) -> None:
    """The mean square of the residuals is about 1, and bars to come give what the joined series gives."""
    returns, realised = sp500()
    fit = fit_har(returns[:4_000], realised[:4_000], distribution)
    assert fit.model.distribution.kind == distribution
    assert np.mean(fit.bars.standardised_residual**2) == pytest.approx(1.0, abs=0.15)
    rest = returns[4_000:], realised[4_000:]
    found = ConditionalVariance(VolatilityModels({"*": fit.model})).advance(["X"] * len(rest[0]), *rest)
    joined = ConditionalVariance(VolatilityModels({"*": fit_without_start(fit.model)}))
    whole = joined.advance(["X"] * len(returns), returns, realised)
    np.testing.assert_allclose(found.variance_percent2, whole.variance_percent2[4_000:], rtol=1e-12)


def fit_without_start(model: object) -> Har:
    """Return the model as it was before its training ended."""
    assert isinstance(model, Har)
    fields = {name: getattr(model, name) for name in model.__struct_fields__ if name != "start"}
    return Har(**fields)


def test_no_coefficient_is_negative() -> None:
    """Where least squares alone would take a mean with a negative sign, it is left out."""
    draw = np.random.default_rng(2)
    returns, realised = draw.standard_normal(600), draw.chisquare(1, 600)
    model = fit_har(returns, realised).model
    assert isinstance(model, Har)
    assert min(model.constant, model.daily, model.weekly, model.monthly) == 0.0


@pytest.mark.parametrize(
    ("bars", "realised", "reason"),
    [(100, 1.0, "100 bars are too few to fit HAR"), (600, 0.0, "600 realised variances are all 0")],
)
def test_what_cannot_be_fitted_is_told(bars: int, realised: float, reason: str) -> None:
    """Too few bars, and bars without a move inside, are errors that say so."""
    with pytest.raises(FitError, match=reason):
        fit_har(np.random.default_rng(0).standard_normal(bars), np.full(bars, realised))
