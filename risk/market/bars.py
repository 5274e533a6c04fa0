"""Bars in event time: what a stream of quotes becomes before anything is estimated from it.

Bar `k` holds the quotes at times in [k * bar_ns, (k + 1) * bar_ns) since the Unix epoch. Its close is the
middle of bid and ask in its last quote. It closes when a quote of a later bar arrives; bars without quotes
are not filled, so a return spans from one bar that has quotes to the next. A quote that is late counts at the
clock of its symbol.
"""

import math
from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

BAR_FIELDS = [("last_time_ns", "<i8"), ("close", "<f8"), ("previous_close", "<f8")]
"""The clock of a symbol, the latest price in its open bar and the close of the bar before; 0 where there is
none."""


@njit(cache=True)
def add_quote(
    table: NDArray[np.void], row: int, event_time_ns: int, bid: float, ask: float, bar_ns: int
) -> tuple[int, float, float]:
    """Take a quote into a symbol's row of a table that has at least BAR_FIELDS.

    Returns the end of the bar that it closed (nanoseconds since the Unix epoch), that bar's close, and its
    log return in percent; the end is 0 where no bar with a return closed.
    """
    symbol = table[row]
    time_ns = max(event_time_ns, symbol["last_time_ns"])
    open_bar = symbol["last_time_ns"] // bar_ns
    end_ns, close, log_return_percent = 0, 0.0, 0.0
    if symbol["close"] > 0.0 and time_ns // bar_ns > open_bar:
        if symbol["previous_close"] > 0.0:
            end_ns, close = (open_bar + 1) * bar_ns, symbol["close"]
            # A difference, because the quotient of two valid prices can overflow.
            log_return_percent = 100.0 * (math.log(close) - math.log(symbol["previous_close"]))
        symbol["previous_close"] = symbol["close"]
    symbol["last_time_ns"] = time_ns
    symbol["close"] = 0.5 * (bid + ask)
    return end_ns, close, log_return_percent


def bar_returns(
    symbol: Sequence[str],
    event_time_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    bar_ns: int,
) -> dict[str, NDArray[np.float64]]:
    """Return the log returns in percent of each symbol's closed bars, in their order, by symbol.

    Every symbol of the quotes is there; one with fewer than two closed bars has no returns.

    >>> bid, ask = np.array([1.0, 1.0, 2.0, 2.0]), np.array([1.0, 3.0, 2.0, 2.0])
    >>> bar_returns(["X"] * 4, np.array([0, 9, 10, 20]), bid, ask, bar_ns=10)
    {'X': array([0.])}
    """
    names = list(dict.fromkeys(symbol))
    number = {name: at for at, name in enumerate(names)}
    rows = np.array([number[name] for name in symbol], dtype=np.int64)
    returns, closing = _returns(np.zeros(len(names), np.dtype(BAR_FIELDS)), rows, event_time_ns, bid, ask, bar_ns)
    return {name: returns[closing == at] for name, at in number.items()}


@njit(cache=True)
def _returns(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    event_time_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    bar_ns: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return every bar's return and the row that it belongs to."""
    returns, closing = np.empty(len(rows)), np.empty(len(rows), dtype=np.int64)
    count = 0
    for at in range(len(rows)):
        end_ns, _, log_return_percent = add_quote(table, rows[at], event_time_ns[at], bid[at], ask[at], bar_ns)
        if end_ns > 0:
            returns[count], closing[count] = log_return_percent, rows[at]
            count += 1
    return returns[:count], closing[:count]
