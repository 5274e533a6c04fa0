"""A symbol's open bar: how a tick that counts is added to it, and what it says when it closes.

A tick is added at its own event time. One that is older than the symbol's clock, its greatest event time, and still
belongs in the open bar counts in the bar's high, low, volume and ticks, while the close stays that of the greatest
event time; one that is older than the open bar changes nothing and is counted as late.
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.bars.bar_spec import DAY_NS, TICK, TIME
from risk.bars.realised_variance import (
    add_to_bipower_variance,
    add_to_realised_variance,
    garman_klass_variance_percent2,
    parkinson_variance_percent2,
)

OPEN_BAR_FIELDS = [
    # Of the symbol: 0 before the first tick, and before the first bar.
    ("clock_ns", "<i8"),
    ("session", "<i8"),
    ("last_price", "<f8"),
    ("sampled_price", "<f8"),
    ("previous_close", "<f8"),
    ("previous_end_ns", "<i8"),
    # Of the open bar: without ticks, no bar is open.
    ("ticks", "<i8"),
    ("start_ns", "<i8"),
    ("end_ns", "<i8"),
    ("open", "<f8"),
    ("high", "<f8"),
    ("low", "<f8"),
    ("volume", "<f8"),
    ("quotes", "<i8"),
    ("spread_sum", "<f8"),
    ("first_of_session", "<i8"),
    ("overnight_return", "<f8"),
    ("realised_variance", "<f8"),
    ("bipower_variance", "<f8"),
    ("last_return", "<f8"),
    ("silence_ns", "<i8"),
    ("late", "<i8"),
]
"""What is kept of a symbol for its bars."""

NO_SPREAD = -1.0
"""The spread of a tick that is no quote."""


@njit(cache=True)
def session_of(rule: np.void, time_ns: int) -> int:
    """Return the day on which the session of a time opens, in days since the Unix epoch; -1 outside the hours.

    Without hours it is 0: one session, which only a pause ends.
    """
    if not rule["has_hours"]:
        return 0
    day = (time_ns - rule["open_ns"]) // DAY_NS
    if time_ns - rule["open_ns"] - day * DAY_NS >= rule["session_ns"]:
        return -1
    # The epoch's first day was a Thursday, 3 from Monday.
    return day if rule["weekdays"] >> ((day + 3) % 7) & 1 else -1


@njit(cache=True)
def add_tick(
    symbol: np.void, rule: np.void, time_ns: int, price: float, size: float, spread_percent: float
) -> tuple[bool, bool]:
    """Add a tick within the market's hours to a symbol's row; a price of 0 stands for the last price.

    Returns whether the bar that was open has to close before the tick is added, which then was not added: close it and
    add the tick again. And whether the bar is complete with the tick: then close it.
    """
    last_price, clock_ns, is_price = symbol["last_price"], symbol["clock_ns"], price > 0.0
    if not is_price:
        if last_price == 0.0:
            return False, False
        price = last_price
    if time_ns < clock_ns:
        if symbol["ticks"] == 0 or time_ns < symbol["start_ns"]:
            symbol["late"] += 1
            return False, False
    else:
        session = session_of(rule, time_ns)
        paused = rule["pause_ns"] > 0 and time_ns - clock_ns > rule["pause_ns"]
        is_new_session = clock_ns > 0 and (paused or session != symbol["session"])
        if symbol["ticks"] > 0 and (is_new_session or (rule["kind"] == TIME and time_ns >= symbol["end_ns"])):
            return True, False
        if symbol["ticks"] == 0:
            _open(symbol, rule, time_ns, session, price)
            symbol["first_of_session"] = is_new_session
        if not is_new_session and clock_ns > 0:
            symbol["silence_ns"] = max(symbol["silence_ns"], time_ns - clock_ns)
        if is_new_session or last_price == 0.0:
            if last_price > 0.0:
                # A difference, because the quotient of two valid prices can overflow.
                symbol["overnight_return"] = 100.0 * (math.log(price) - math.log(last_price))
            symbol["sampled_price"] = price
        elif rule["sample_ns"] == 0:
            if is_price:
                _add_return(symbol, price)
        elif time_ns // rule["sample_ns"] > clock_ns // rule["sample_ns"]:
            _add_return(symbol, last_price)
        symbol["clock_ns"], symbol["session"], symbol["last_price"] = time_ns, session, price
    symbol["high"], symbol["low"] = max(symbol["high"], price), min(symbol["low"], price)
    symbol["ticks"] += 1
    symbol["volume"] += size
    if spread_percent != NO_SPREAD:
        symbol["quotes"] += 1
        symbol["spread_sum"] += spread_percent
    if rule["kind"] == TIME:
        return False, False
    if rule["kind"] == TICK:
        return False, symbol["ticks"] >= rule["ticks"]
    return False, symbol["volume"] >= rule["volume"]


@njit(cache=True)
def _open(symbol: np.void, rule: np.void, time_ns: int, session: int, price: float) -> None:
    """Open a bar at its first tick."""
    symbol["start_ns"], symbol["end_ns"] = time_ns, 0
    if rule["kind"] == TIME:
        origin_ns = session * DAY_NS + rule["open_ns"] if rule["has_hours"] else 0
        symbol["start_ns"] = origin_ns + (time_ns - origin_ns) // rule["length_ns"] * rule["length_ns"]
        symbol["end_ns"] = symbol["start_ns"] + rule["length_ns"]
        if rule["has_hours"]:
            symbol["end_ns"] = min(symbol["end_ns"], origin_ns + rule["session_ns"])
    symbol["open"] = symbol["high"] = symbol["low"] = price
    symbol["volume"] = symbol["spread_sum"] = symbol["overnight_return"] = 0.0
    symbol["realised_variance"] = symbol["bipower_variance"] = symbol["last_return"] = 0.0
    symbol["quotes"] = 0
    symbol["silence_ns"] = 0


@njit(cache=True)
def _add_return(symbol: np.void, price: float) -> None:
    """Add the return from the price sampled last to the bar's variances."""
    log_return = 100.0 * (math.log(price) - math.log(symbol["sampled_price"]))
    symbol["realised_variance"] = add_to_realised_variance(symbol["realised_variance"], log_return)
    symbol["bipower_variance"] = add_to_bipower_variance(symbol["bipower_variance"], symbol["last_return"], log_return)
    symbol["last_return"], symbol["sampled_price"] = log_return, price


@njit(cache=True)
def close_bar(symbol: np.void, rule: np.void, bars: NDArray[np.void], at: int) -> bool:
    """Close a symbol's open bar; return whether it has a return, and row `at` of CLOSED_BAR rows was filled in.

    Its index and the counts of what the filter passed over are left to the caller.
    """
    close, previous_close, previous_end_ns = symbol["last_price"], symbol["previous_close"], symbol["previous_end_ns"]
    if rule["sample_ns"] > 0:
        _add_return(symbol, close)
    # Bars of ticks or volume may end at one time; each needs an end of its own, which names it.
    end_ns = symbol["end_ns"] if rule["kind"] == TIME else max(symbol["clock_ns"], previous_end_ns + 1)
    symbol["previous_close"], symbol["previous_end_ns"] = close, end_ns
    ticks, symbol["ticks"] = symbol["ticks"], 0
    if previous_close == 0.0:
        return False
    out = bars[at]
    out["start_ns"], out["end_ns"] = symbol["start_ns"], end_ns
    out["open"], out["high"], out["low"], out["close"] = symbol["open"], symbol["high"], symbol["low"], close
    out["volume"], out["ticks"] = symbol["volume"], ticks
    out["log_return_percent"] = 100.0 * (math.log(close) - math.log(previous_close))
    out["overnight_return_percent"] = symbol["overnight_return"]
    out["realised_variance_percent2"] = symbol["realised_variance"]
    out["bipower_variance_percent2"] = symbol["bipower_variance"]
    out["parkinson_variance_percent2"] = parkinson_variance_percent2(symbol["high"], symbol["low"])
    out["garman_klass_variance_percent2"] = garman_klass_variance_percent2(
        symbol["open"], symbol["high"], symbol["low"], close
    )
    out["spread_percent"] = symbol["spread_sum"] / symbol["quotes"] if symbol["quotes"] > 0 else 0.0
    out["first_of_session"] = symbol["first_of_session"] != 0
    out["gap_ns"] = max(0, symbol["start_ns"] - previous_end_ns)
    out["silence_ns"] = symbol["silence_ns"]
    out["late"] = symbol["late"]
    symbol["late"] = 0
    return True
