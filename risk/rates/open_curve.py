"""The points of a currency's open curve, and the curve that closed before it, in one row of state."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

MOST_TENORS = 40
"""How many tenors a currency's curve may have at a time."""

CURVE_ROW = np.dtype(
    [
        ("closed_ns", "<i8"),
        ("open_ns", "<i8"),
        ("slots", "<i8"),
        ("months", "<i8", (MOST_TENORS,)),
        ("arrived", "<i8", (MOST_TENORS,)),
        ("open_par", "<f8", (MOST_TENORS,)),
        ("age", "<i8", (MOST_TENORS,)),
        ("par", "<f8", (MOST_TENORS,)),
        ("tenor_moves", "<i8", (MOST_TENORS,)),
        ("tenor_variance", "<f8", (MOST_TENORS,)),
        ("factor_moves", "<i8"),
        ("factor_variance", "<f8", (3,)),
    ]
)
"""Event times of the last closed and of the open curve, 0 for none; then one slot for each tenor, in order of arrival.

`arrived` is 1 for a point of the open curve, whose yield is `open_par`. `age` is how many curves ago the yield `par` in
the last closed curve came, -1 where the curve had none. Moves are counted, and their variances are in bp squared.
"""

TAKEN, LATE, NO_ROOM = 0, 1, 2
ABSENT = -1


@njit(cache=True)
def is_late(row: np.void, event_time_ns: int, curve_ns: int) -> bool:
    """Return whether a point belongs to a curve that is closed, or to one before that which is open."""
    latest = max(row["open_ns"], row["closed_ns"])
    if event_time_ns // curve_ns < latest // curve_ns:
        return True
    return bool(row["open_ns"] == 0 and row["closed_ns"] > 0 and event_time_ns // curve_ns == latest // curve_ns)


@njit(cache=True)
def is_of_a_later_curve(row: np.void, event_time_ns: int, curve_ns: int) -> bool:
    """Return whether a point comes after the open curve, which it closes."""
    return bool(row["open_ns"] > 0 and event_time_ns // curve_ns > row["open_ns"] // curve_ns)


@njit(cache=True)
def add_point(row: np.void, tenor_months: int, par_percent: float, event_time_ns: int) -> int:
    """Take a point into the open curve; return TAKEN, or NO_ROOM where the curve has all the tenors that it may.

    A tenor that comes twice counts with its last yield. A slot whose tenor has left the curve is given to a new one.
    """
    slot = -1
    for at in range(row["slots"]):
        if row["months"][at] == tenor_months:
            slot = at
            break
    if slot < 0 and row["slots"] < MOST_TENORS:
        slot = row["slots"]
        row["slots"] += 1
        row["months"][slot], row["age"][slot] = tenor_months, ABSENT
    if slot < 0:
        for at in range(MOST_TENORS):
            if row["age"][at] == ABSENT and row["arrived"][at] == 0:
                slot = at
                row["months"][at], row["tenor_moves"][at], row["tenor_variance"][at] = tenor_months, 0, 0.0
                break
    if slot < 0:
        return NO_ROOM
    row["arrived"][slot], row["open_par"][slot] = 1, par_percent
    row["open_ns"] = max(row["open_ns"], event_time_ns)
    return TAKEN


@njit(cache=True)
def has_arrived(row: np.void, complete_months: NDArray[np.int64]) -> bool:
    """Return whether all of some tenors have come to the open curve."""
    for months in complete_months:
        found = False
        for at in range(row["slots"]):
            if row["months"][at] == months and row["arrived"][at] == 1:
                found = True
        if not found:
            return False
    return True
