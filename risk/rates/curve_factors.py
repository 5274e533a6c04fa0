"""Level, slope and curvature of a curve, as the yields themselves give them (Diebold and Li, 2006, s. 3.2)."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.rates.discount import log_discount_factor

FACTORS = ("level", "slope", "curvature")

_SHORT_YEARS, _MIDDLE_YEARS, _LONG_YEARS = 0.25, 2.0, 10.0


@njit(cache=True)
def curve_factors(tenors_years: NDArray[np.float64], zero_percent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return level, slope and curvature of a zero curve in percent: float64[3].

    Level is the 10-year zero rate, slope the 10-year less the 3-month rate (positive where the curve rises: Diebold and
    Li's estimated slope has the other sign), curvature twice the 2-year rate less the 3-month and 10-year rates.

    >>> curve_factors(np.array([0.25, 2.0, 10.0]), np.array([1.0, 2.0, 4.0])).round(12).tolist()
    [4.0, 3.0, -1.0]
    """
    log_discount = -zero_percent / 100.0 * tenors_years
    short = -100.0 * log_discount_factor(tenors_years, log_discount, _SHORT_YEARS) / _SHORT_YEARS
    middle = -100.0 * log_discount_factor(tenors_years, log_discount, _MIDDLE_YEARS) / _MIDDLE_YEARS
    level = -100.0 * log_discount_factor(tenors_years, log_discount, _LONG_YEARS) / _LONG_YEARS
    return np.array([level, level - short, 2.0 * middle - short - level])
