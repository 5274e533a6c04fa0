"""The tests of expected shortfall of Acerbi and Szekely: were losses in the tail as great as forecast?

Acerbi and Szekely, "Back-testing expected shortfall", Risk, December 2014: tests 1 and 2. Both are 0 on average where
the forecast is right, and negative where losses in the tail are greater than forecast. Their distribution depends on
the tail, so they have critical values rather than p-values.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

Z2_CRITICAL_5_PERCENT = -0.70
"""Where the forecast is right, Z2 is lower than this in about 5 % of cases: 250 bars at 97.5 %, whatever the tail."""

Z2_CRITICAL_1_IN_10_000 = -1.8
"""And lower than this in about 0.01 % of cases."""

# A forecast that no loss is to be expected has no ratio to one: it counts as this many percent of the price.
_LEAST_SHORTFALL_PERCENT = 1e-9


@dataclass(frozen=True, slots=True)
class AcerbiSzekely:
    """The statistics: Z1 of the losses in the tail, not a number without any; Z2 of their number too."""

    z1: float
    z2: float


@njit(cache=True)
def tail_loss_ratio(loss_percent: float, expected_shortfall_percent: float) -> float:
    """Return how many times the expected shortfall a loss was, which a bar adds where it exceeds its value at risk.

    >>> tail_loss_ratio(3.0, 2.0)
    1.5
    """
    return loss_percent / max(expected_shortfall_percent, _LEAST_SHORTFALL_PERCENT)


@njit(cache=True)
def acerbi_szekely_sums(
    loss_percent: NDArray[np.float64],
    exceeded: NDArray[np.bool_],
    expected_shortfall_percent: NDArray[np.float64],
) -> tuple[int, float]:
    """Return how many bars exceeded, and the sum of their losses over the expected shortfalls in force.

    >>> acerbi_szekely_sums(np.array([3.0, 1.0]), np.array([True, False]), np.array([2.0, 2.0]))
    (1, 1.5)
    """
    many, total = 0, 0.0
    for at in range(len(loss_percent)):
        if exceeded[at]:
            many += 1
            total += tail_loss_ratio(loss_percent[at], expected_shortfall_percent[at])
    return many, total


def acerbi_szekely(
    loss_percent: NDArray[np.float64],
    value_at_risk_percent: NDArray[np.float64],
    expected_shortfall_percent: NDArray[np.float64],
    level: float,
) -> AcerbiSzekely:
    """Return Z1 and Z2 of at least one bar's losses and the forecasts in force for them, float64[n] in percent each.

    >>> columns = np.array([3.0, 1.0]), np.full(2, 1.5), np.full(2, 2.0)
    >>> acerbi_szekely(*columns, level=0.5)
    AcerbiSzekely(z1=-0.5, z2=-0.5)
    """
    exceeded = loss_percent > value_at_risk_percent
    many, total = acerbi_szekely_sums(loss_percent, exceeded, expected_shortfall_percent)
    z1 = 1.0 - total / many if many else math.nan
    return AcerbiSzekely(z1, 1.0 - total / (len(loss_percent) * (1.0 - level)))
