"""What cash flows are worth on a zero curve, and what they lose when it moves.

Each function takes a zero curve (`risk.rates.discount`) and cash flows: `times_years` float64[C], 0 or more, and
`amounts` float64[C] in currency units, negative where paid. A loss is positive. Sensitivities are derivatives, not
differences, so that those to the key rates add up to the total exactly, but for rounding.
"""

import numpy as np
from numpy.typing import NDArray

from risk.rates.discount import discount_factors
from risk.rates.key_rates import KEY_TENORS_YEARS, key_rate_weights

_BP = 1e-4


def present_value(
    tenors_years: NDArray[np.float64],
    zero_percent: NDArray[np.float64],
    times_years: NDArray[np.float64],
    amounts: NDArray[np.float64],
) -> float:
    """Return what the cash flows are worth today, in currency units.

    >>> round(present_value(np.array([1.0]), np.array([5.0]), np.array([1.0, 2.0]), np.array([5.0, 105.0])), 6)
    99.764076
    """
    return float(np.sum(amounts * discount_factors(tenors_years, zero_percent, times_years)))


def dv01(
    tenors_years: NDArray[np.float64],
    zero_percent: NDArray[np.float64],
    times_years: NDArray[np.float64],
    amounts: NDArray[np.float64],
) -> float:
    """Return what is lost for each basis point by which all zero rates rise, in currency units.

    >>> round(dv01(np.array([1.0]), np.array([5.0]), np.array([1.0, 2.0]), np.array([5.0, 105.0])), 9)
    0.0194772
    """
    factors = discount_factors(tenors_years, zero_percent, times_years)
    return float(_BP * np.sum(times_years * amounts * factors))


def key_rate_dv01(
    tenors_years: NDArray[np.float64],
    zero_percent: NDArray[np.float64],
    times_years: NDArray[np.float64],
    amounts: NDArray[np.float64],
    key_tenors_years: tuple[float, ...] = KEY_TENORS_YEARS,
) -> NDArray[np.float64]:
    """Return what is lost for each basis point by which each key rate rises, float64[K]; they add up to `dv01`.

    >>> bond = np.array([1.0, 2.0]), np.array([5.0, 105.0])
    >>> key_rate_dv01(np.array([1.0]), np.array([5.0]), *bond, (1.0, 3.0)).round(9).tolist()
    [0.009976408, 0.009500793]
    """
    factors = discount_factors(tenors_years, zero_percent, times_years)
    weights = key_rate_weights(times_years, key_tenors_years)
    return np.asarray(_BP * np.sum(weights * (times_years * amounts * factors), axis=1))


def key_rate_durations(
    tenors_years: NDArray[np.float64],
    zero_percent: NDArray[np.float64],
    times_years: NDArray[np.float64],
    amounts: NDArray[np.float64],
    key_tenors_years: tuple[float, ...] = KEY_TENORS_YEARS,
) -> NDArray[np.float64]:
    """Return the key-rate durations in years, float64[K]; they add up to `effective_duration`. All 0 without value.

    >>> zero_bond = np.array([2.0]), np.array([100.0])
    >>> key_rate_durations(np.array([1.0]), np.array([5.0]), *zero_bond, (1.0, 2.0, 3.0)).tolist()
    [0.0, 2.0, 0.0]
    """
    value = present_value(tenors_years, zero_percent, times_years, amounts)
    lost = key_rate_dv01(tenors_years, zero_percent, times_years, amounts, key_tenors_years)
    return lost / (_BP * value) if value else np.zeros_like(lost)


def effective_duration(
    tenors_years: NDArray[np.float64],
    zero_percent: NDArray[np.float64],
    times_years: NDArray[np.float64],
    amounts: NDArray[np.float64],
) -> float:
    """Return the relative loss for each rise of all zero rates, in years (Fisher and Weil, 1971); 0 without value.

    >>> effective_duration(np.array([1.0]), np.array([5.0]), np.array([7.0]), np.array([100.0]))
    7.0
    """
    value = present_value(tenors_years, zero_percent, times_years, amounts)
    return dv01(tenors_years, zero_percent, times_years, amounts) / (_BP * value) if value else 0.0


def effective_convexity(
    tenors_years: NDArray[np.float64],
    zero_percent: NDArray[np.float64],
    times_years: NDArray[np.float64],
    amounts: NDArray[np.float64],
) -> float:
    """Return the relative second derivative by a parallel move of the zero rates, in years squared; 0 without value.

    >>> effective_convexity(np.array([1.0]), np.array([5.0]), np.array([7.0]), np.array([100.0]))
    49.0
    """
    values = amounts * discount_factors(tenors_years, zero_percent, times_years)
    value = float(np.sum(values))
    return float(np.sum(times_years**2 * values)) / value if value else 0.0
