"""Zero rates from par yields, node by node.

The convention is that of US Treasury constant maturities (Treasury, "Treasury Yield Curve Methodology", 2021: bond
equivalent yields of par securities that pay twice a year). A tenor below one year pays once, at its end, with simple
interest. A tenor of a year or more pays half of its yield every six months, counted back from maturity; a first period
that is shorter pays in proportion. Between nodes discount factors are log-linear (`risk.rates.discount`).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.rates.discount import log_discount_factor

# No quoted yield has a forward rate near these, in 1/year, continuous; they bound yields that no curve can give.
_LEAST_FORWARD, _GREATEST_FORWARD = -5.0, 12.0
_MOST_STEPS = 200


@njit(cache=True)
def coupon_periods(tenor_months: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return when a par bond pays, in years, and the length of the period that each payment is for, in years.

    >>> times, periods = coupon_periods(15)
    >>> times.tolist(), periods.tolist()
    ([0.25, 0.75, 1.25], [0.25, 0.5, 0.5])
    """
    if tenor_months < 12:
        single = np.array([tenor_months / 12.0])
        return single, single
    count = (tenor_months + 5) // 6
    times, periods = np.empty(count), np.full(count, 0.5)
    for at in range(count):
        times[at] = (tenor_months - 6 * (count - 1 - at)) / 12.0
    periods[0] = times[0]
    return times, periods


@njit(cache=True)
def bootstrap_zero_percent(
    tenor_months: NDArray[np.int64], par_percent: NDArray[np.float64]
) -> tuple[NDArray[np.float64], bool]:
    """Return continuously compounded zero rates in percent, float64[T], and whether they price every par bond at par.

    `tenor_months` int64[T] rises strictly. Par yields that no positive discount factors explain, such as 1,000 %
    after 0 %, give finite rates that miss par. Each node's forward rate is found by Newton's method within a bracket
    that is halved where Newton leaves it (Hagan and West, "Interpolation Methods for Curve Construction", 2006, s. 2).

    >>> zero, fits = bootstrap_zero_percent(np.array([6, 12, 24]), np.array([2.0, 2.0, 2.0]))
    >>> zero.round(6).tolist(), fits
    ([1.990066, 1.990066, 1.990066], True)
    """
    nodes = len(tenor_months)
    tenors = tenor_months / 12.0
    log_discount = np.zeros(nodes)
    fits = True
    for node in range(nodes):
        par = par_percent[node] / 100.0
        times, periods = coupon_periods(tenor_months[node])
        if len(times) == 1:
            log_discount[node] = -math.log1p(par * times[0])
            continue
        before, log_before = 0.0, 0.0
        if node > 0:
            before, log_before = tenors[node - 1], log_discount[node - 1]
        known, unknown = 0.0, 0
        for at in range(len(times)):
            if times[at] > before:
                break
            unknown = at + 1
            log_known = log_discount_factor(tenors[:node], log_discount[:node], times[at])
            known += par * periods[at] * math.exp(log_known)
        low, high = _LEAST_FORWARD, _GREATEST_FORWARD
        forward = -log_before / before if before > 0.0 else par
        error = 0.0
        for _ in range(_MOST_STEPS):
            error, slope = known - 1.0, 0.0
            for at in range(unknown, len(times)):
                elapsed = times[at] - before
                amount = par * periods[at] + (1.0 if at == len(times) - 1 else 0.0)
                value = amount * math.exp(log_before - forward * elapsed)
                error += value
                slope -= elapsed * value
            if error > 0.0:
                low = forward
            else:
                high = forward
            following = forward - error / slope if slope < 0.0 else low
            if not low < following < high:
                following = 0.5 * (low + high)
            if abs(following - forward) <= 1e-15:
                break
            forward = following
        fits = fits and abs(error) < 1e-10
        log_discount[node] = log_before - forward * (tenors[node] - before)
    return -100.0 * log_discount / tenors, fits


def par_yields(
    tenors_years: NDArray[np.float64], zero_percent: NDArray[np.float64], tenor_months: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the par yields in percent, float64[N], that a zero curve gives at tenors: the bootstrap's inverse.

    >>> par_yields(np.array([1.0, 2.0]), np.array([1.990066, 1.990066]), np.array([6, 24])).round(5).tolist()
    [2.0, 2.0]
    """
    log_discount = -zero_percent / 100.0 * tenors_years
    found = np.empty(len(tenor_months))
    for at, months in enumerate(tenor_months.tolist()):
        times, periods = coupon_periods(months)
        factors = np.exp([log_discount_factor(tenors_years, log_discount, one) for one in times.tolist()])
        found[at] = 100.0 * (1.0 - factors[-1]) / np.sum(periods * factors)
    return found
