"""The traffic light of the Basel Committee: green, yellow or red by the number of exceedances.

Basel Committee on Banking Supervision, "Supervisory framework for the use of backtesting in conjunction with the
internal models approach to market risk capital requirements", January 1996.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.distributions.binomial_distribution import binomial_cdf
from risk.distributions.normal_distribution import normal_quantile
from schemas.back_test import Zone

ZONES: tuple[Zone, ...] = ("green", "yellow", "red")
"""The zones by their number."""

_GREEN, _YELLOW, _RED = range(3)

_PLUS_FACTORS = (0.40, 0.50, 0.65, 0.75, 0.85)
"""For 5 to 9 exceedances of 250 bars at 99 %: table 2 of the framework."""

_MULTIPLIER = 3.0


@dataclass(frozen=True, slots=True)
class TrafficLight:
    """The zone, what it adds to the capital multiplier of 3, and the probability of at most as many exceedances."""

    zone: str
    plus_factor: float
    cumulative_probability: float


@njit(cache=True)
def traffic_light_zone(bars: int, exceedances: int, level: float) -> int:
    """Return the number of the zone in ZONES, for any number of bars and any level such as 0.99.

    Yellow begins where so many exceedances or fewer have a probability of 95 %, red where it is 99.99 %, if the level
    holds. Without an exceedance it is green, which those bounds leave open where bars are very few.

    >>> [traffic_light_zone(250, exceedances, 0.99) for exceedances in (4, 5, 9, 10)]
    [0, 1, 1, 2]
    """
    if exceedances == 0:
        return _GREEN
    cumulative = binomial_cdf(exceedances, bars, 1.0 - level)
    if cumulative >= 0.9999:
        return _RED
    return _YELLOW if cumulative >= 0.95 else _GREEN


@njit(cache=True)
def plus_factor(bars: int, exceedances: int, level: float) -> float:
    """Return what the zone adds to the capital multiplier: 0 in green, 1 in red.

    In yellow it is the framework's table for 250 bars at 99 %. Elsewhere it is the reasoning that the framework gives
    for its table, without its rounding: normal returns that exceed as often as was seen would need a value at risk
    greater by the ratio of the quantiles to be exceeded as the level promises; it is at most 1.

    >>> [plus_factor(250, exceedances, 0.99) for exceedances in (4, 5, 9, 10)]
    [0.0, 0.4, 0.85, 1.0]
    >>> round(plus_factor(500, 10, 0.99), 2)
    0.4
    """
    zone = traffic_light_zone(bars, exceedances, level)
    if zone == _GREEN:
        return 0.0
    if zone == _RED or 2 * exceedances >= bars:
        return 1.0
    if bars == 250 and abs(level - 0.99) < 1e-9:
        return _PLUS_FACTORS[exceedances - 5]
    ratio = normal_quantile(level) / normal_quantile(1.0 - exceedances / bars)
    return min(max(_MULTIPLIER * (ratio - 1.0), 0.0), 1.0)


def traffic_light(exceeded: NDArray[np.bool_], level: float = 0.99) -> TrafficLight:
    """Return the traffic light of a column of exceedances, bool[n].

    >>> traffic_light(np.arange(250) < 7)
    TrafficLight(zone='yellow', plus_factor=0.65, cumulative_probability=0.995974...)
    """
    bars, many = len(exceeded), int(np.count_nonzero(exceeded))
    zone = ZONES[traffic_light_zone(bars, many, level)]
    return TrafficLight(zone, plus_factor(bars, many, level), binomial_cdf(many, bars, 1.0 - level))
