"""Which ticks count: repeats, stale quotes and lone outliers do not, by rules that look back only.

A price that jumps is held until the next price comes. If that lies beyond the limit on the same side of the last price,
the jump was real, and both count, each at its own time; if not, what was held was an outlier. So no real move is lost,
and a bad print is known one tick later. The limit follows the changes from price to price, after the rule of Brownlees
and Gallo, "Financial econometric analysis at ultra-high frequency: data handling concerns", Computational Statistics
and Data Analysis 51 (2006), section 3, which looks at neighbours on both sides.
"""

import math

import numpy as np
from numba import njit

FILTER_FIELDS = [
    # One more than the greatest sequence number; 0 before the first. A bit for each of the latest that came.
    ("next_sequence", "<i8"),
    ("came", "<i8"),
    # The latest quote, and since when it is quoted.
    ("bid", "<f8"),
    ("ask", "<f8"),
    ("quoted_since_ns", "<i8"),
    # The mean absolute change from price to price, and the price that is held: its time is 0 where none is.
    ("mean_change_percent", "<f8"),
    ("held_ns", "<i8"),
    ("held_price", "<f8"),
    ("held_size", "<f8"),
    ("held_spread", "<f8"),
    # What was passed over since the latest bar.
    ("outliers", "<i8"),
    ("stale", "<i8"),
    ("crossed", "<i8"),
    ("outside", "<i8"),
    ("repeated", "<i8"),
    ("missing", "<i8"),
]
"""What is kept of a symbol to judge its ticks."""

REMEMBERED = 60
"""How many of the latest sequence numbers are known apart."""
_MOST_MISSING = 10**15

COUNTS, HELD, CONFIRMS, PASSED_OVER = 0, 1, 2, 3
"""What becomes of a price: it counts; it is held; it counts, and what was held does before it; it does not count."""


@njit(cache=True)
def is_repeat(symbol: np.void, sequence: int, is_after_clock: bool) -> bool:
    """Return whether a sequence number came before, and keep it; numbers passed over add to what is missing.

    A number that fills a gap is missing no more. One that came before, or lies far behind, in a tick later than all
    before it is no repeat: the producer counts anew.
    """
    ahead = sequence - symbol["next_sequence"]
    if symbol["next_sequence"] == 0:
        symbol["came"], symbol["next_sequence"] = 1, sequence + 1
    elif ahead >= 0:
        symbol["missing"] = min(symbol["missing"] + min(ahead, _MOST_MISSING), _MOST_MISSING)
        came = symbol["came"] << (ahead + 1) if ahead < REMEMBERED else 0
        symbol["came"] = (came & ((1 << REMEMBERED) - 1)) | 1
        symbol["next_sequence"] = sequence + 1
    else:
        back = -ahead - 1
        is_known = back < REMEMBERED and symbol["came"] >> back & 1 == 1
        if is_known and not is_after_clock:
            symbol["repeated"] += 1
            return True
        if back < REMEMBERED and not is_known:
            symbol["came"] |= 1 << back
            symbol["missing"] = max(0, symbol["missing"] - 1)
        elif is_after_clock:
            symbol["came"], symbol["next_sequence"] = 1, sequence + 1
    return False


@njit(cache=True)
def is_stale(symbol: np.void, rule: np.void, time_ns: int, bid: float, ask: float) -> bool:
    """Return whether a quote says again what has been quoted for too long, and keep it."""
    if bid != symbol["bid"] or ask != symbol["ask"]:
        symbol["bid"], symbol["ask"], symbol["quoted_since_ns"] = bid, ask, time_ns
        return False
    if rule["stale_after_ns"] == 0 or time_ns - symbol["quoted_since_ns"] <= rule["stale_after_ns"]:
        return False
    symbol["stale"] += 1
    return True


@njit(cache=True)
def judge_price(symbol: np.void, rule: np.void, price: float, is_late: bool) -> int:
    """Return what becomes of a price of a symbol that has a last one; the caller holds it where it is to be held."""
    last_price = symbol["last_price"]
    change_percent = 100.0 * abs(math.log(price) - math.log(last_price))
    limit_percent = max(rule["deviations"] * symbol["mean_change_percent"], rule["floor_percent"])
    is_far = change_percent > limit_percent
    if is_late:
        # A late price is no evidence of what came after it.
        symbol["outliers"] += is_far
        return PASSED_OVER if is_far else COUNTS
    verdict = HELD if is_far else COUNTS
    if symbol["held_ns"] > 0:
        if is_far and (price > last_price) == (symbol["held_price"] > last_price):
            verdict = CONFIRMS
        else:
            symbol["outliers"] += 1
            symbol["held_ns"] = 0
    elif is_far:
        return HELD
    symbol["mean_change_percent"] = rule["decay"] * symbol["mean_change_percent"] + (1.0 - rule["decay"]) * min(
        change_percent, limit_percent
    )
    return verdict
