"""The Diebold-Mariano test: is one forecast better than another, or did it have luck?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student


@dataclass(frozen=True, slots=True)
class ForecastComparison:
    """`statistic` is below 0 where the first forecast lost less; `p_value` is two-sided."""

    statistic: float
    p_value: float


def compare_forecasts(
    losses: NDArray[np.float64], other_losses: NDArray[np.float64], horizon_bars: int
) -> ForecastComparison:
    """Compare the losses float64[n] of two forecasts, made so many bars ahead, of the same n values.

    The mean difference is divided by its standard error, whose variance counts autocovariances up to `horizon_bars` - 1
    (Diebold and Mariano, "Comparing predictive accuracy", Journal of Business and Economic Statistics 13, 1995), and
    corrected for small samples, with Student's distribution of n - 1 degrees (Harvey, Leybourne and Newbold, "Testing
    the equality of prediction mean squared errors", International Journal of Forecasting 13, 1997). Where the
    variance is not positive, as of equal forecasts, nothing is found: statistic 0, p 1. Raises ValueError for fewer
    values than `horizon_bars` + 2.

    >>> compare_forecasts(np.array([1.0, 1.0, 2.0, 1.0]), np.array([2.0, 3.0, 2.0, 3.0]), 1)
    ForecastComparison(statistic=-2.6111648393354674, p_value=0.0796...)
    """
    count = len(losses)
    if count < horizon_bars + 2:
        raise ValueError(f"{count} losses of forecasts {horizon_bars} bars ahead: give {horizon_bars + 2} or more")
    difference = losses - other_losses
    mean = float(difference.mean())
    centred = difference - mean
    variance = float(centred @ centred) / count
    for lag in range(1, horizon_bars):
        variance += 2.0 * float(centred[lag:] @ centred[:-lag]) / count
    if not variance > 0.0:
        return ForecastComparison(0.0, 1.0)
    h = horizon_bars
    correction = np.sqrt((count + 1.0 - 2.0 * h + h * (h - 1.0) / count) / count)
    statistic = float(correction * mean / np.sqrt(variance / count))
    return ForecastComparison(statistic, float(2.0 * student.sf(abs(statistic), count - 1)))
