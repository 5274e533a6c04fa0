"""Yield to maturity, and the duration and convexity that go with it (Fabozzi, "Bond Markets", ch. 4).

The yield is in percent a year, compounded `frequency` times a year: cash flows at times t are discounted by
(1 + y/f)^(-f t). Cash flows are as in `risk.rates.rate_sensitivity`; amounts must be receipts.
"""

import numpy as np
from numpy.typing import NDArray

_MOST_STEPS = 200


def price_at_yield(
    yield_percent: float, frequency: int, times_years: NDArray[np.float64], amounts: NDArray[np.float64]
) -> float:
    """Return the dirty price at a yield, in currency units.

    >>> round(price_at_yield(4.0, 2, np.array([0.5, 1.0]), np.array([2.0, 102.0])), 9)
    100.0
    """
    return float(np.sum(amounts * (1.0 + yield_percent / 100.0 / frequency) ** (-frequency * times_years)))


def yield_to_maturity(
    price: float, frequency: int, times_years: NDArray[np.float64], amounts: NDArray[np.float64]
) -> float:
    """Return the yield in percent at which the cash flows are worth `price`.

    Raises ValueError for a price, or amounts, that are not positive: no single yield explains them.

    >>> round(yield_to_maturity(95.0, 2, np.array([0.5, 1.0]), np.array([2.0, 102.0])), 6)
    9.353425
    """
    if not price > 0.0 or not len(amounts) or np.min(amounts) < 0.0 or np.max(amounts) <= 0.0:
        raise ValueError(f"price={price}, amounts={amounts}: give a positive price, and receipts only")
    paid = amounts > 0.0
    periods, receipts = frequency * times_years[paid], amounts[paid]

    def worth_more(log_growth: float) -> bool:
        return bool(np.sum(receipts * np.exp(-log_growth * periods)) > price)

    # The value falls strictly as the growth of a period rises: bracket its logarithm, then halve the bracket.
    low, high = -0.1, 0.1
    while not worth_more(low):
        low *= 2.0
    while worth_more(high):
        high *= 2.0
    for _ in range(_MOST_STEPS):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if worth_more(middle) else (low, middle)
    return float(100.0 * frequency * np.expm1(0.5 * (low + high)))


def modified_duration(
    yield_percent: float, frequency: int, times_years: NDArray[np.float64], amounts: NDArray[np.float64]
) -> float:
    """Return the relative loss for each rise of the yield, in years.

    >>> round(modified_duration(4.0, 2, np.array([0.5, 1.0]), np.array([2.0, 102.0])), 9)
    0.970780469
    """
    growth = 1.0 + yield_percent / 100.0 / frequency
    values = amounts * growth ** (-frequency * times_years)
    return float(np.sum(times_years * values) / np.sum(values) / growth)


def convexity(
    yield_percent: float, frequency: int, times_years: NDArray[np.float64], amounts: NDArray[np.float64]
) -> float:
    """Return the relative second derivative of the price by the yield, in years squared.

    >>> round(convexity(4.0, 2, np.array([0.5, 1.0]), np.array([2.0, 102.0])), 9)
    1.422906725
    """
    growth = 1.0 + yield_percent / 100.0 / frequency
    values = amounts * growth ** (-frequency * times_years)
    weights = times_years * (times_years + 1.0 / frequency)
    return float(np.sum(weights * values) / np.sum(values) / growth**2)
