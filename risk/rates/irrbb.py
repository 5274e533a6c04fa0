"""The six interest rate shocks of Basel, and what economic value is lost in each.

Source: Basel Committee, "Interest rate risk in the banking book" (d368, April 2016), annex 2, and the chapter SRP31 of
its framework. Sizes of BGN, CZK, DKK, HUF, PLN and RON are from Regulation (EU) 2024/856, annex, part A, which has
Basel's sizes for all others. The Committee made new sizes in July 2024 (d578): pass them as `ShockSizes`. No floor
under the shocked rates is applied.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.rates.discount import discount_factors

SCENARIOS = ("parallel_up", "parallel_down", "steepener", "flattener", "short_up", "short_down")

_DECAY_YEARS = 4.0


class ShockSizes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By how many basis points a currency's rates are shocked: all, the short end, the long end."""

    parallel_bp: float
    short_bp: float
    long_bp: float


SHOCK_SIZES: dict[str, ShockSizes] = {
    "ARS": ShockSizes(400, 500, 300),
    "AUD": ShockSizes(300, 450, 200),
    "BGN": ShockSizes(250, 350, 150),
    "BRL": ShockSizes(400, 500, 300),
    "CAD": ShockSizes(200, 300, 150),
    "CHF": ShockSizes(100, 150, 100),
    "CNY": ShockSizes(250, 300, 150),
    "CZK": ShockSizes(200, 250, 100),
    "DKK": ShockSizes(200, 250, 150),
    "EUR": ShockSizes(200, 250, 100),
    "GBP": ShockSizes(250, 300, 150),
    "HKD": ShockSizes(200, 250, 100),
    "HUF": ShockSizes(300, 450, 200),
    "IDR": ShockSizes(400, 500, 350),
    "INR": ShockSizes(400, 500, 300),
    "JPY": ShockSizes(100, 100, 100),
    "KRW": ShockSizes(300, 400, 200),
    "MXN": ShockSizes(400, 500, 300),
    "PLN": ShockSizes(250, 350, 150),
    "RON": ShockSizes(350, 500, 250),
    "RUB": ShockSizes(400, 500, 300),
    "SAR": ShockSizes(200, 300, 150),
    "SEK": ShockSizes(200, 300, 150),
    "SGD": ShockSizes(150, 200, 100),
    "TRY": ShockSizes(400, 500, 300),
    "USD": ShockSizes(200, 300, 150),
    "ZAR": ShockSizes(400, 500, 300),
}


def shock_sizes(currency: str) -> ShockSizes:
    """Return the sizes of a currency's shocks; raises ValueError for a currency that has none.

    >>> shock_sizes("USD")
    ShockSizes(parallel_bp=200, short_bp=300, long_bp=150)
    """
    if currency not in SHOCK_SIZES:
        raise ValueError(
            f"currency={currency!r}: the standard gives sizes for {', '.join(SHOCK_SIZES)}; give ShockSizes of your own"
        )
    return SHOCK_SIZES[currency]


def shocks_bp(sizes: ShockSizes, times_years: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how many basis points each scenario moves the zero rate at each time: float64[6, C].

    >>> shocks_bp(shock_sizes("USD"), np.array([0.0, 4.0])).round(6).tolist()
    [[200.0, 200.0], [-200.0, -200.0], [-195.0, 13.599784], [240.0, 31.400216], [300.0, 110.363832],
     [-300.0, -110.363832]]
    """
    decay = np.exp(-times_years / _DECAY_YEARS)
    parallel = np.full_like(decay, sizes.parallel_bp)
    short, long = sizes.short_bp * decay, sizes.long_bp * (1.0 - decay)
    return np.array([parallel, -parallel, -0.65 * short + 0.9 * long, 0.8 * short - 0.6 * long, short, -short])


def economic_value_losses(
    tenors_years: NDArray[np.float64],
    zero_percent: NDArray[np.float64],
    times_years: NDArray[np.float64],
    amounts: NDArray[np.float64],
    sizes: ShockSizes,
) -> NDArray[np.float64]:
    """Return what cash flows of one currency lose in each scenario, float64[6], in currency units; a loss is positive.

    The arguments are as in `risk.rates.rate_sensitivity`; d368, annex 2, and SRP31.112: sum of CF x (DF - shocked DF).

    >>> zero_bond = np.array([4.0]), np.array([100.0])
    >>> economic_value_losses(np.array([1.0]), np.array([0.0]), *zero_bond, shock_sizes("USD")).round(4).tolist()
    [7.6884, -8.3287, 0.5425, 1.2482, 4.3185, -4.5134]
    """
    values = amounts * discount_factors(tenors_years, zero_percent, times_years)
    lost = -np.expm1(-shocks_bp(sizes, times_years) / 10_000.0 * times_years)
    return np.asarray(np.sum(values * lost, axis=1))


def worst_loss(losses: NDArray[np.float64]) -> float:
    """Return the risk measure of losses by currency and scenario, float64[N, 6], all in one currency.

    Of each scenario the currencies that lose are added up, and the worst scenario counts; 0 where none loses.

    >>> worst_loss(np.array([[5.0, -5.0, 0.0, 0.0, 1.0, -1.0], [-3.0, 4.0, 0.0, 0.0, 1.0, -1.0]]))
    5.0
    """
    return float(np.max(np.sum(np.maximum(losses, 0.0), axis=0), initial=0.0))
