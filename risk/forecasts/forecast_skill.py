"""How good one-bar forecasts have been of late, against the random walk, which expects no change.

Every sum forgets by a constant factor a scored bar, so that the figures tell of a sliding past. MASE is the mean
absolute error over that of the random walk on the same bars (Hyndman and Koehler, "Another look at measures of forecast
accuracy", International Journal of Forecasting 22, 2006, there over the random walk's error in the sample of the fit):
below 1 the forecast is better. The loss of a quantile q at level p is (p - [x < q]) (x - q) (Koenker and Bassett,
"Regression quantiles", Econometrica 46, 1978); it is averaged over the quantiles at 5, 50 and 95 %.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

Z_90 = 1.6448536269514726
"""How many deviations of the normal distribution lie on either side of the middle 90 %: its 95 % quantile."""

WEIGHT, ABSOLUTE, SQUARE, WALK_ABSOLUTE, HIT_WEIGHT, HITS, COVERED, QUANTILE = range(8)
SUMS = 8
"""The number of sums kept of each forecaster, in the order above."""

BARS, MASE, RMSE, HIT_RATE, COVERAGE, QUANTILE_LOSS = range(6)
FIGURES = 6
"""The number of figures made from the sums, in the order above; `BARS` is how many bars the sums weigh."""

MOST_MASE = 1e6
"""Said where the random walk was right to the last digit and the forecast was not."""


@njit(cache=True)
def quantile_loss(value: float, quantile: float, level: float) -> float:
    """Return the loss of having said that `value` lies below `quantile` with probability `level`.

    >>> quantile_loss(3.0, 1.0, 0.75), quantile_loss(0.0, 1.0, 0.75)
    (1.5, 0.25)
    """
    below = 1.0 if value < quantile else 0.0
    return (level - below) * (value - quantile)


@njit(cache=True)
def score_forecast(sums: NDArray[np.float64], change: float, forecast: float, deviation: float, keep: float) -> None:
    """Add the score of a forecast, with its deviation, of the change that came; the sums so far count `keep` each.

    >>> sums = np.zeros(SUMS)
    >>> score_forecast(sums, 1.0, 0.5, 1.0, 0.99)
    >>> skill_figures(sums).round(4).tolist()
    [1.0, 0.5, 0.5, 1.0, 1.0, 0.1382]
    """
    for at in range(SUMS):
        sums[at] *= keep
    error = change - forecast
    sums[WEIGHT] += 1.0
    sums[ABSOLUTE] += abs(error)
    sums[SQUARE] += error * error
    sums[WALK_ABSOLUTE] += abs(change)
    # A direction is right or wrong only where there is one on both sides.
    if change != 0.0 and forecast != 0.0:
        sums[HIT_WEIGHT] += 1.0
        if (change > 0.0) == (forecast > 0.0):
            sums[HITS] += 1.0
    low, high = forecast - Z_90 * deviation, forecast + Z_90 * deviation
    if low <= change <= high:
        sums[COVERED] += 1.0
    lost = quantile_loss(change, low, 0.05) + quantile_loss(change, forecast, 0.5) + quantile_loss(change, high, 0.95)
    sums[QUANTILE] += lost / 3.0


@njit(cache=True)
def skill_figures(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the figures of sums float64[SUMS], float64[FIGURES], all finite.

    Before the first score they are those of a random walk with a right interval: MASE 1, RMSE 0, hit rate 0.5, coverage
    0.9, quantile loss 0.

    >>> skill_figures(np.zeros(SUMS)).tolist()
    [0.0, 1.0, 0.0, 0.5, 0.9, 0.0]
    """
    figures = np.array([0.0, 1.0, 0.0, 0.5, 0.9, 0.0])
    weight = sums[WEIGHT]
    if weight > 0.0:
        figures[BARS] = weight
        if sums[ABSOLUTE] > 0.0:
            figures[MASE] = MOST_MASE
            if sums[WALK_ABSOLUTE] * MOST_MASE > sums[ABSOLUTE]:
                figures[MASE] = sums[ABSOLUTE] / sums[WALK_ABSOLUTE]
        figures[RMSE] = math.sqrt(sums[SQUARE] / weight)
        figures[COVERAGE] = sums[COVERED] / weight
        figures[QUANTILE_LOSS] = sums[QUANTILE] / weight
    if sums[HIT_WEIGHT] > 0.0:
        figures[HIT_RATE] = sums[HITS] / sums[HIT_WEIGHT]
    return figures
