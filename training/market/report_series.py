"""Where the prices of a market report come from: a file of daily bars or of ticks, or a series shipped with `arch`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from risk.bars.bar_builder import BarBuilder
from risk.bars.bar_spec import DAY_NS, BarSpecification, BarSpecifications, TimeBars
from risk.market.pooled import POOLED
from risk.volatility.trading_year import TradingYear, bars_per_year
from training.history import HistoryError
from training.market.tick_history import QUOTE, REQUIRED, TRADE, read_ticks
from training.table import Table, load_table

TIME_NAMES = ("date", "time", "datetime", "timestamp", "event_time")
CLOSE_NAMES = ("close", "adj close", "adj_close", "price")
"""Names under which daily files have their columns, in any case of letters; the first that is there is taken."""

_MINUTE_NS = 60_000_000_000


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """The closes of one symbol's bars, in order of time: `end_ns` int64[n] since the Unix epoch, `close` float64[n].

    `bar` says how long a bar is, in words; `source` where the series is from.
    """

    symbol: str
    source: str
    bar: str
    bars_per_year: float
    end_ns: NDArray[np.int64]
    close: NDArray[np.float64]

    @property
    def log_return_percent(self) -> NDArray[np.float64]:
        """The log returns from close to close, float64[n - 1]."""
        return np.asarray(100.0 * np.diff(np.log(self.close)), dtype=np.float64)


def shipped_series() -> PriceSeries:
    """Return the S&P 500 of 1999 to 2018, day by day, which the library `arch` ships."""
    import arch.data.sp500

    prices = arch.data.sp500.load()
    end_ns = prices.index.to_numpy().astype("datetime64[ns]").astype(np.int64)
    close = prices["Adj Close"].to_numpy(dtype=np.float64)
    return PriceSeries("S&P 500", "arch.data.sp500", "one day", bars_per_year(DAY_NS, "us_exchange"), end_ns, close)


def read_series(path: Path, symbol: str | None, *, bar_minutes: int, year: TradingYear) -> PriceSeries:
    """Return one symbol's series from a .parquet or .csv file.

    A file of ticks has the columns that `training.market.tick_history` reads, of which bars of `bar_minutes` are made
    as the stream makes them; any other is taken for daily bars, with a date, a close and perhaps a symbol. Without
    `symbol` the file must be of one. Raises HistoryError, naming column, row, value and remedy.
    """
    table = load_table(path)
    if any({*REQUIRED, *pair} <= set(table.columns) for pair in (QUOTE, TRADE)):
        return _of_ticks(path, symbol, bar_minutes, year)
    return _of_days(path, table, symbol, year)


def _of_days(path: Path, table: Table, symbol: str | None, year: TradingYear) -> PriceSeries:
    time_name, close_name = (_named(path, table, names) for names in (TIME_NAMES, CLOSE_NAMES))
    name = next((one for one in table.columns if one.lower() == "symbol"), None)
    chosen = np.arange(table.rows)
    if name is not None:
        symbols = [str(one) for one in table.columns[name]]
        symbol = _one_symbol(path, sorted(set(symbols)), symbol)
        chosen = np.flatnonzero(np.array(symbols) == symbol)
    seconds, close = table.columns[time_name], table.columns[close_name]
    if not isinstance(seconds, np.ndarray) or time_name not in table.times:
        raise HistoryError(f"{path}: {time_name}: is not a column of dates; give them as YYYY-MM-DD")
    if not isinstance(close, np.ndarray):
        raise HistoryError(f"{path}: {close_name}: is not a column of numbers; correct it")
    for column, values, wrong in ((time_name, seconds, ~np.isfinite(seconds)), (close_name, close, ~(close > 0.0))):
        rows = chosen[wrong[chosen] | ~np.isfinite(values[chosen])]
        if len(rows):
            raise HistoryError(f"{path}: row {rows[0]}, {column}={values[rows[0]]}: is no price or date; drop the row")
    chosen = chosen[np.argsort(seconds[chosen], kind="stable")]
    end_ns = np.asarray(np.round(seconds[chosen]), dtype=np.int64) * 1_000_000_000
    twice = np.flatnonzero(np.diff(end_ns) <= 0)
    if len(twice):
        row = chosen[twice[0] + 1]
        raise HistoryError(f"{path}: row {row}, {time_name}: is there twice; drop one of the two, or give --symbol")
    return PriceSeries(symbol or path.stem, path.name, "one day", bars_per_year(DAY_NS, year), end_ns, close[chosen])


def _of_ticks(path: Path, symbol: str | None, bar_minutes: int, year: TradingYear) -> PriceSeries:
    ticks = read_ticks(path, {})
    symbol = _one_symbol(path, sorted(set(ticks.symbol)), symbol)
    at = np.flatnonzero(np.array(ticks.symbol) == symbol)
    bar_ns = bar_minutes * _MINUTE_NS
    step = BarBuilder(BarSpecifications({POOLED: BarSpecification(closes=TimeBars(length_ns=bar_ns))}))
    bars = step.advance(
        [symbol] * len(at),
        ticks.event_time_ns[at],
        ticks.bid[at],
        ticks.ask[at],
        ticks.price[at],
        ticks.size[at],
        ticks.sequence[at],
    )
    bar = "one minute" if bar_minutes == 1 else f"{bar_minutes} minutes"
    return PriceSeries(symbol, path.name, bar, bars_per_year(bar_ns, year), bars.end_ns, bars.close)


def _named(path: Path, table: Table, names: tuple[str, ...]) -> str:
    by_lower = {one.lower(): one for one in table.columns}
    found = next((by_lower[name] for name in names if name in by_lower), None)
    if found is None:
        raise HistoryError(
            f"{path}: has no column {' or '.join(names)}; it has {', '.join(table.columns)}: rename one, or give ticks"
            f" with {', '.join(REQUIRED)} and {', '.join(QUOTE)} or {', '.join(TRADE)}"
        )
    return found


def _one_symbol(path: Path, found: list[str], symbol: str | None) -> str:
    if symbol is None and len(found) == 1:
        return found[0]
    if symbol is None or symbol not in found:
        shown = ", ".join(found[:10]) + (", ..." if len(found) > 10 else "")
        raise HistoryError(f"{path}: --symbol {symbol or ''}: give one of {shown}")
    return symbol
