"""Fits HAR to realised variances by least squares, and the distribution of the residuals that it leaves."""

import msgspec
import numpy as np
from arch.univariate import ConstantMean, FixedVariance
from numpy.typing import NDArray
from scipy.optimize import nnls

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.market.pooled import POOLED
from risk.volatility.conditional_variance import ConditionalVariance
from risk.volatility.volatility_model import HAR_BARS, Har
from risk.volatility.volatility_models import VolatilityModels
from training.market.volatility_fit import DISTRIBUTIONS, MIN_RETURNS, FitError, VolatilityFit, fit_of


def fit_har(
    log_returns_percent: NDArray[np.float64],
    realised_variance_percent2: NDArray[np.float64],
    distribution: str = "normal",
) -> VolatilityFit:
    """Return HAR of realised variances float64[n], whose forecasts are those of the returns' variances, float64[n].

    The coefficients are those of least squares among the ones that are not negative, so that no forecast is; `scale` is
    the ratio of the returns' variance to the mean of the realised ones. Raises FitError for fewer than MIN_RETURNS, for
    realised variances that are all 0, and where the residuals' distribution is not found.

    >>> draw = np.random.default_rng(0)
    >>> fit = fit_har(draw.standard_normal(600), draw.chisquare(5, 600) / 5)
    >>> round(fit.model.constant + fit.model.daily + fit.model.weekly + fit.model.monthly, 1)
    1.0
    """
    count, back = len(log_returns_percent), HAR_BARS[-1]
    if count < MIN_RETURNS:
        raise FitError(f"{count} bars are too few to fit HAR, {MIN_RETURNS} are needed: give more quotes")
    if not np.any(realised_variance_percent2 > 0.0):
        raise FitError(f"{count} realised variances are all 0: HAR wants several quotes within a bar")
    mean = float(log_returns_percent.mean())
    sums = np.concatenate([[0.0], np.cumsum(realised_variance_percent2)])
    ends = np.arange(back, count)
    means = [(sums[ends] - sums[ends - bars]) / bars for bars in HAR_BARS]
    size = float(realised_variance_percent2.mean())
    design = np.column_stack([np.ones(len(ends)), *(one / size for one in means)])
    constant, daily, weekly, monthly = nnls(design, realised_variance_percent2[back:] / size)[0].tolist()
    residuals = log_returns_percent - mean
    model = Har(
        mean_percent=mean,
        backcast_percent2=float(np.mean(residuals[:75] ** 2)) or float(np.mean(residuals**2)),
        constant=constant * size,
        daily=daily,
        weekly=weekly,
        monthly=monthly,
        scale=float(np.mean(residuals**2)) / size,
    )
    step = ConditionalVariance(VolatilityModels({POOLED: model}))
    bars = step.advance([POOLED] * count, log_returns_percent, realised_variance_percent2)
    deviation = float(np.std(log_returns_percent))
    returns = ConstantMean(
        log_returns_percent / deviation,
        volatility=FixedVariance(bars.variance_percent2 / deviation**2, unit_scale=True),
        distribution=DISTRIBUTIONS[distribution](),
        rescale=False,
    )
    result = returns.fit(disp="off", show_warning=False)
    if result.convergence_flag != 0:
        raise FitError(f"the {distribution} distribution of HAR's residuals does not converge: give more bars")
    mean_scaled, *shape = result.params.to_list()
    model = msgspec.structs.replace(
        model,
        mean_percent=float(mean_scaled) * deviation,
        distribution=StandardisedDistribution(distribution, *shape),  # type: ignore[arg-type]
    )
    # The four coefficients and the scale were estimated too.
    return fit_of(model, log_returns_percent, realised_variance_percent2, 5 + len(result.params))
