"""What a portfolio may lose over the next bars: value at risk, expected shortfall, and what each symbol adds.

Exposures and losses are in units of the currency; a loss is positive. `exposures` float64[n] is quantity times price,
negative for what is sold short, and `deviations_percent` float64[n] the forecast of the next log returns' deviations.
Tails are pairs of value at risk and expected shortfall, float64[levels, horizons] each.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import (
    StandardisedDistribution,
    standardised_quantile,
    standardised_shortfall,
)
from risk.value_at_risk.empirical_tail import worse_outcomes

MOST_SIMULATED_BARS = 20
"""Over longer horizons there are too few stretches of bars that do not overlap: one bar's losses are scaled."""

Tails = tuple[NDArray[np.float64], NDArray[np.float64]]

MOST_PERCENT = 10_000.0
"""A simulated log return is cut off here, so that no loss is infinite."""


@njit(cache=True)
def marginal_deviations(
    exposures: NDArray[np.float64], deviations_percent: NDArray[np.float64], correlation: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the deviation of the portfolio's next profit, and what each symbol adds to it: float64[n].

    The returns are taken as small, so that the profit is the sum of exposures times log returns. The parts add up to
    the deviation (Euler's theorem: Litterman, "Hot spots and hedges", 1996; McNeil, Frey and Embrechts, Quantitative
    Risk Management, 2nd edition, 2015, section 8.5). All are 0 for a portfolio without risk.

    >>> marginal_deviations(np.array([300.0, 400.0]), np.array([1.0, 1.0]), np.eye(2))
    (5.0, array([1.8, 3.2]))
    """
    count = len(exposures)
    parts = np.zeros(count)
    variance = 0.0
    for i in range(count):
        covariance = 0.0
        for j in range(count):
            covariance += correlation[i, j] * (exposures[j] * deviations_percent[j] / 100.0)
        parts[i] = covariance * (exposures[i] * deviations_percent[i] / 100.0)
        variance += parts[i]
    # A perfect hedge may come out a rounding below 0.
    if variance <= 0.0:
        return 0.0, np.zeros(count)
    deviation = math.sqrt(variance)
    return deviation, parts / deviation


def scaled_tails(
    deviation: float, distribution: StandardisedDistribution, levels: tuple[float, ...], horizons_bars: tuple[int, ...]
) -> Tails:
    """Return the tails of a profit with mean 0 and a distribution, given the deviation of one bar.

    Variances of bars add up, so a horizon's deviation is that of one bar times the root of its bars.

    >>> scaled_tails(1.0, StandardisedDistribution("normal"), (0.95, 0.99), (1, 10))[0].round(3).tolist()
    [[1.645, 5.201], [2.326, 7.357]]
    """
    value_at_risk, shortfall = _unit_tails(distribution, levels, horizons_bars)
    return deviation * value_at_risk, deviation * shortfall


@lru_cache(maxsize=16)
def _unit_tails(
    distribution: StandardisedDistribution, levels: tuple[float, ...], horizons_bars: tuple[int, ...]
) -> Tails:
    shape = distribution.shape()
    roots = np.sqrt(np.array(horizons_bars))
    quantiles = np.array([-standardised_quantile(1.0 - level, *shape) for level in levels])
    shortfalls = np.array([standardised_shortfall(1.0 - level, *shape) for level in levels])
    return np.outer(quantiles, roots), np.outer(shortfalls, roots)


@njit(cache=True)
def scenario_losses(
    residuals: NDArray[np.float64],
    exposures: NDArray[np.float64],
    deviations_percent: NDArray[np.float64],
    horizon_bars: int,
) -> NDArray[np.float64]:
    """Return the losses, float64[s - horizon_bars + 1], if what happened in successive bars happened from here on.

    `residuals` float64[s, n] are joint standardised residuals, oldest first, at least as many as the horizon's bars.
    Each stretch of so many bars is an outcome: its residuals, added up, are scaled by today's deviations, and the
    positions revalued in full (filtered historical simulation: Barone-Adesi, Giannopoulos and Vosper, Journal of
    Futures Markets 19, 1999; joint residuals keep the dependence without naming it).

    >>> scenario_losses(np.array([[1.0], [-2.0]]), np.array([100.0]), np.array([1.0]), 1).round(4).tolist()
    [-1.005, 1.9801]
    """
    outcomes = len(residuals) - horizon_bars + 1
    losses = np.empty(outcomes)
    for at in range(outcomes):
        loss = 0.0
        for symbol in range(len(exposures)):
            total = 0.0
            for bar in range(at, at + horizon_bars):
                total += residuals[bar, symbol]
            percent = min(max(total * deviations_percent[symbol], -MOST_PERCENT), MOST_PERCENT)
            loss -= exposures[symbol] * math.expm1(percent / 100.0)
        losses[at] = loss
    return losses


def loss_tail(losses: NDArray[np.float64], level: float) -> tuple[float, float]:
    """Return (value at risk, expected shortfall) of equally likely losses, as `risk.value_at_risk.empirical_tail` does.

    >>> loss_tail(np.array([-1.0, 5.0, 3.0, 0.0]), 0.6)
    (3.0, 4.25)
    """
    descending = np.sort(losses)[::-1]
    worse = worse_outcomes(len(losses), level)
    edge = float(descending[worse])
    share = len(losses) * (1.0 - level)
    return edge, max((float(np.sum(descending[:worse])) + max(share - worse, 0.0) * edge) / share, edge)


def historical_tails(
    residuals: NDArray[np.float64],
    exposures: NDArray[np.float64],
    deviations_percent: NDArray[np.float64],
    levels: Sequence[float],
    horizons_bars: Sequence[int],
) -> Tails:
    """Return the tails of the losses that `scenario_losses` finds.

    Horizons of more than `MOST_SIMULATED_BARS` have the tails of one bar times the root of their bars.

    >>> one = np.array([100.0]), np.array([1.0])
    >>> historical_tails(np.full((250, 1), -1.0), *one, (0.95, 0.99), (1, 25))[0].round(4).tolist()
    [[0.995, 4.9751], [0.995, 4.9751]]
    """
    found = np.empty((2, len(levels), len(horizons_bars)))
    for number, horizon in enumerate(horizons_bars):
        simulated = horizon if horizon <= MOST_SIMULATED_BARS else 1
        losses = scenario_losses(residuals, exposures, deviations_percent, simulated)
        for at, level in enumerate(levels):
            found[:, at, number] = math.sqrt(horizon / simulated) * np.array(loss_tail(losses, level))
    return found[0], found[1]
