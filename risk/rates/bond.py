"""A bond with fixed coupons, and the cash flows that it has left."""

from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from schemas.currency import CurrencyCode

YEAR_NS = 31_557_600_000_000_000
"""A year of 365.25 days, in nanoseconds: how times become years."""


class Bond(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bond that repays `notional` at maturity and until then pays coupons `frequency` times a year, 0 for none.

    `notional` is in units of the currency, negative for a bond owed.
    """

    currency: CurrencyCode
    maturity_ns: int
    coupon_percent: Annotated[float, Meta(ge=-100.0, le=1000.0)]
    frequency: Literal[0, 1, 2, 4, 12]
    notional: Annotated[float, Meta(ge=-1e15, le=1e15)]


def cash_flows(bond: Bond, as_of_ns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when the bond pays after `as_of_ns`, in years from then, and how much: float64[C] each.

    A bond that has matured pays nothing. Times are in nanoseconds since the Unix epoch.

    >>> bond = Bond("USD", 2 * YEAR_NS, 4.0, 1, 100.0)
    >>> times, amounts = cash_flows(bond, YEAR_NS // 2)
    >>> times.tolist(), amounts.tolist()
    ([0.5, 1.5], [4.0, 104.0])
    """
    return coupon_cash_flows(
        (bond.maturity_ns - as_of_ns) / YEAR_NS, bond.coupon_percent, bond.frequency, bond.notional
    )


def coupon_cash_flows(
    maturity_years: float, coupon_percent: float, frequency: int, notional: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the times in years and the amounts, float64[C] each, of coupons counted back from maturity.

    The next coupon is paid in full, so that the value of what is returned is the dirty price.

    >>> times, amounts = coupon_cash_flows(1.25, 4.0, 2, 100.0)
    >>> times.tolist(), amounts.tolist()
    ([0.25, 0.75, 1.25], [2.0, 2.0, 102.0])
    """
    if maturity_years <= 0.0:
        return np.empty(0), np.empty(0)
    if frequency == 0:
        return np.array([maturity_years]), np.array([notional])
    # A hundred-millionth of a year, a third of a second, keeps a coupon that is paid now from counting as due.
    count = max(1, int(np.ceil(maturity_years * frequency - 1e-8)))
    times = maturity_years - np.arange(count - 1, -1, -1) / frequency
    amounts = np.full(count, notional * coupon_percent / 100.0 / frequency)
    amounts[-1] += notional
    return times, amounts
