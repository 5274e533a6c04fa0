"""Bars of every symbol in event time: what a stream of ticks becomes before anything is estimated from it.

A tick is taken in this order of rules: a crossed quote is passed over, then a repeat, a tick outside the market's
hours, a quote that is stale, and a price that is an outlier; what is left counts in a bar. A bar of time closes with
the first tick of a later bar, one of ticks or volume with the tick that completes it, and every bar with the first tick
of a later session. Bars without ticks are not filled, so a return spans from one bar that has ticks to the next.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.bars.bar_spec import QUOTES, TRADES, BarSpecifications, rules_table
from risk.bars.closed_bars import CLOSED_BAR, ClosedBars, closed_bars
from risk.bars.open_bar import NO_SPREAD, OPEN_BAR_FIELDS, add_tick, close_bar, session_of
from risk.bars.tick_filter import (
    CONFIRMS,
    FILTER_FIELDS,
    HELD,
    PASSED_OVER,
    is_repeat,
    is_stale,
    judge_price,
)
from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep
from risk.market.pooled import POOLED

STATE_VERSION = 1
"""Goes up when the packed row or a rule changes."""

_ROW = np.dtype([*OPEN_BAR_FIELDS, *FILTER_FIELDS])
_MOST_CLOSED_BY_A_TICK = 4
"""The one that was held and the tick itself may each end a session and complete a bar."""
_TABLE_ROWS = 1024


class BarBuilder(KeyedStep):
    """Makes the bars of every symbol; a symbol without a specification of its own takes the pooled one.

    >>> from risk.bars.bar_spec import BarSpecification, TimeBars
    >>> step = BarBuilder(BarSpecifications({"*": BarSpecification(closes=TimeBars(length_ns=10))}))
    >>> nothing = np.full(3, np.nan)
    >>> quotes = np.array([10, 20, 30]), np.array([1.0, 2.0, 2.0]), np.array([1.0, 2.0, 2.0])
    >>> bars = step.advance(["X"] * 3, *quotes, nothing, nothing, np.full(3, -1))
    >>> bars.index.tolist(), bars.end_ns.tolist(), bars.close.tolist(), bars.log_return_percent.round(3).tolist()
    ([2], [30], [2.0], [69.315])
    """

    def __init__(self, specifications: BarSpecifications) -> None:
        symbols = specifications.symbols
        self._number_of = {symbol: at for at, symbol in enumerate(symbols)}
        self._rules = rules_table(symbols.values())
        self._rows = KeyedRows(_ROW)
        self._none = closed_bars(np.empty(0, dtype=CLOSED_BAR), [])

    def advance(
        self,
        symbol: Sequence[str],
        event_time_ns: NDArray[np.int64],
        bid: NDArray[np.float64],
        ask: NDArray[np.float64],
        price: NDArray[np.float64],
        size: NDArray[np.float64],
        sequence: NDArray[np.int64],
    ) -> ClosedBars:
        """Take ticks, each column of length n, in the order of the log; return the bars that they closed.

        `bid` and `ask` are NaN where nothing was quoted, `price` and `size` where nothing was traded, `sequence` is -1
        where there is none, as `risk.decode.decode_ticks` gives them.
        """
        count = len(symbol)
        rows = self._rows.rows(symbol)
        if len(self._number_of) == 1:
            numbers = np.zeros(count, dtype=np.int64)
        else:
            number_of, pooled = self._number_of.get, self._number_of[POOLED]
            numbers = np.fromiter((number_of(one, pooled) for one in symbol), dtype=np.int64, count=count)
        size_of_table = min(_MOST_CLOSED_BY_A_TICK * count, _TABLE_ROWS)
        tables, at = [], 0
        while at < count:
            bars = np.empty(size_of_table, dtype=CLOSED_BAR)
            at, closed = _advance(
                self._rows.table, self._rules, rows, numbers, event_time_ns, bid, ask, price, size, sequence, at, bars
            )
            if closed:
                tables.append(bars[:closed])
        if not tables:
            return self._none
        table = tables[0] if len(tables) == 1 else np.concatenate(tables)
        return closed_bars(table, [symbol[index] for index in table["index"].tolist()])


@njit(cache=True)
def _advance(
    table: NDArray[np.void],
    rules: NDArray[np.void],
    rows: NDArray[np.int64],
    numbers: NDArray[np.int64],
    event_time_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    price: NDArray[np.float64],
    size: NDArray[np.float64],
    sequence: NDArray[np.int64],
    first: int,
    bars: NDArray[np.void],
) -> tuple[int, int]:
    """Take ticks from the first on, and fill in the bars that closed; return where it stopped, and how many did.

    It stops where the bars that one tick may close could no longer be filled in.
    """
    closed = 0
    for at in range(first, len(rows)):
        if closed + _MOST_CLOSED_BY_A_TICK > len(bars):
            return at, closed
        symbol, rule, time_ns = table[rows[at]], rules[numbers[at]], event_time_ns[at]
        is_quote, is_trade = not np.isnan(bid[at]), not np.isnan(price[at])
        if is_quote and bid[at] > ask[at]:
            symbol["crossed"] += 1
            continue
        latest_ns = max(symbol["clock_ns"], symbol["held_ns"])
        if sequence[at] >= 0 and is_repeat(symbol, sequence[at], time_ns > latest_ns):
            continue
        if session_of(rule, time_ns) < 0:
            symbol["outside"] += 1
            continue
        is_late = time_ns < latest_ns
        new_price, new_size, spread = 0.0, 0.0, NO_SPREAD
        if is_quote:
            if not is_trade and not is_late and is_stale(symbol, rule, time_ns, bid[at], ask[at]):
                continue
            middle = 0.5 * (bid[at] + ask[at])
            spread = 100.0 * (ask[at] - bid[at]) / middle
            if rule["prices"] != TRADES:
                new_price = middle
        if is_trade:
            new_size = size[at]
            if rule["prices"] != QUOTES:
                new_price = price[at]
        if rule["has_outliers"] and new_price > 0.0 and symbol["last_price"] > 0.0:
            verdict = judge_price(symbol, rule, new_price, is_late)
            if verdict == PASSED_OVER:
                continue
            if verdict == HELD:
                symbol["held_ns"], symbol["held_price"] = time_ns, new_price
                symbol["held_size"], symbol["held_spread"] = new_size, spread
                continue
            if verdict == CONFIRMS:
                held_ns, symbol["held_ns"] = symbol["held_ns"], 0
                closed = _add(
                    symbol, rule, held_ns, symbol["held_price"], symbol["held_size"], symbol["held_spread"], at, bars,
                    closed,
                )  # fmt: skip
        closed = _add(symbol, rule, time_ns, new_price, new_size, spread, at, bars, closed)
    return len(rows), closed


@njit(cache=True)
def _add(
    symbol: np.void,
    rule: np.void,
    time_ns: int,
    price: float,
    size: float,
    spread: float,
    index: int,
    bars: NDArray[np.void],
    closed: int,
) -> int:
    """Add a tick that counts, closing what it closes; return how many bars are filled in."""
    has_to_close, is_complete = add_tick(symbol, rule, time_ns, price, size, spread)
    if has_to_close:
        closed = _close(symbol, rule, index, bars, closed)
        _, is_complete = add_tick(symbol, rule, time_ns, price, size, spread)
    if is_complete:
        closed = _close(symbol, rule, index, bars, closed)
    return closed


@njit(cache=True)
def _close(symbol: np.void, rule: np.void, index: int, bars: NDArray[np.void], closed: int) -> int:
    """Close the open bar and fill it in if it has a return; return how many bars are filled in."""
    if not close_bar(symbol, rule, bars, closed):
        return closed
    bar = bars[closed]
    bar["index"] = index
    bar["skipped_outliers"], bar["skipped_stale"] = symbol["outliers"], symbol["stale"]
    bar["skipped_crossed"], bar["outside_hours"] = symbol["crossed"], symbol["outside"]
    bar["repeated"], bar["missing_sequences"] = symbol["repeated"], symbol["missing"]
    symbol["outliers"] = symbol["stale"] = symbol["crossed"] = 0
    symbol["outside"] = symbol["repeated"] = symbol["missing"] = 0
    return closed + 1
