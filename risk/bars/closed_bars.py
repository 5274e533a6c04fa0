"""Bars that closed, as columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CLOSED_BAR = np.dtype(
    [
        ("index", "<i8"),
        ("start_ns", "<i8"),
        ("end_ns", "<i8"),
        ("open", "<f8"),
        ("high", "<f8"),
        ("low", "<f8"),
        ("close", "<f8"),
        ("volume", "<f8"),
        ("ticks", "<i8"),
        ("log_return_percent", "<f8"),
        ("overnight_return_percent", "<f8"),
        ("realised_variance_percent2", "<f8"),
        ("bipower_variance_percent2", "<f8"),
        ("parkinson_variance_percent2", "<f8"),
        ("garman_klass_variance_percent2", "<f8"),
        ("spread_percent", "<f8"),
        ("first_of_session", "?"),
        ("gap_ns", "<i8"),
        ("silence_ns", "<i8"),
        ("skipped_outliers", "<i8"),
        ("skipped_stale", "<i8"),
        ("skipped_crossed", "<i8"),
        ("outside_hours", "<i8"),
        ("late", "<i8"),
        ("repeated", "<i8"),
        ("missing_sequences", "<i8"),
    ],
    align=True,
)
"""One closed bar as the compiled loops write it: the columns of ClosedBars but for the symbol."""


@dataclass(frozen=True, slots=True)
class ClosedBars:
    """Bars that closed with a return, in the order of the ticks that closed them; every column has their length n.

    `index` int64 is the position of the closing tick in its batch; several bars may have the same. Times are int64
    nanoseconds since the Unix epoch, and a symbol's `end_ns` rises from bar to bar. Prices and `volume`, the size
    traded, are float64; `ticks` int64 counts the ticks that the bar took.

    `log_return_percent` is that from the close of the bar before, so with the first bar of a session it holds what came
    between sessions, which `overnight_return_percent` tells alone: 0 for other bars. The variances are of the prices
    inside the bar, see `risk.bars.realised_variance`: realised and bipower variance take the returns from price to
    price, or from sample to sample, from the last price before the bar on, but for what came overnight.
    `spread_percent` is the mean of (ask - bid) / middle of the bar's quotes, 0 without any.

    `gap_ns` is the time from the end of the bar before to this one's start, `silence_ns` the longest time without a
    tick within the session up to the bar's last. The counts int64 are of ticks since the bar before was given:
    outliers, stale and crossed quotes that were passed over; ticks outside the market's hours; ticks too late for the
    open bar; repeats; and numbers that never came.
    """

    index: NDArray[np.int64]
    symbol: list[str]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    volume: NDArray[np.float64]
    ticks: NDArray[np.int64]
    log_return_percent: NDArray[np.float64]
    overnight_return_percent: NDArray[np.float64]
    realised_variance_percent2: NDArray[np.float64]
    bipower_variance_percent2: NDArray[np.float64]
    parkinson_variance_percent2: NDArray[np.float64]
    garman_klass_variance_percent2: NDArray[np.float64]
    spread_percent: NDArray[np.float64]
    first_of_session: NDArray[np.bool_]
    gap_ns: NDArray[np.int64]
    silence_ns: NDArray[np.int64]
    skipped_outliers: NDArray[np.int64]
    skipped_stale: NDArray[np.int64]
    skipped_crossed: NDArray[np.int64]
    outside_hours: NDArray[np.int64]
    late: NDArray[np.int64]
    repeated: NDArray[np.int64]
    missing_sequences: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.symbol)


def closed_bars(table: NDArray[np.void], symbol: list[str]) -> ClosedBars:
    """Return the columns of a table of CLOSED_BAR rows, whose symbols are given.

    >>> len(closed_bars(np.empty(0, CLOSED_BAR), []))
    0
    """
    columns = {name: np.ascontiguousarray(table[name]) for name in CLOSED_BAR.names or ()}
    return ClosedBars(symbol=symbol, **columns)
