"""Reads a history of quotes and trades from Parquet or CSV."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.history import HistoryError, numbers, read_table, texts, times_ns

REQUIRED = ("symbol", "event_time")
QUOTE, TRADE = ("bid", "ask"), ("price", "size")
SEQUENCE = "sequence"
FIELDS = (*REQUIRED, *QUOTE, *TRADE, SEQUENCE)


@dataclass(frozen=True, slots=True)
class TickHistory:
    """Quotes and trades in order of time, in the columns that `risk.bars.bar_builder.BarBuilder` takes.

    `event_time_ns` int64[n] is in nanoseconds since the Unix epoch. `bid` and `ask` float64[n] are NaN where nothing
    was quoted, `price` and `size` float64[n] where nothing was traded; `sequence` int64[n] is -1 where there is none.
    """

    symbol: list[str]
    event_time_ns: npt.NDArray[np.int64]
    bid: npt.NDArray[np.float64]
    ask: npt.NDArray[np.float64]
    price: npt.NDArray[np.float64]
    size: npt.NDArray[np.float64]
    sequence: npt.NDArray[np.int64]


def read_ticks(path: Path, mapping: Mapping[str, str]) -> TickHistory:
    """Return the ticks in a .parquet or .csv file, in order of time; equal times keep the file's order.

    `mapping` gives the file's column for each of symbol, event_time, bid and ask, price and size, and sequence; a field
    that is left out is looked for under its own name. A file has quotes, trades, or both, whose rows then leave empty
    what they have not; numbers in sequence are optional. Raises HistoryError, naming column, row, value and remedy.
    """
    table = read_table(path, text_columns=[mapping.get("symbol", "symbol")])
    names = {field: mapping.get(field, field) for field in FIELDS}
    pairs = [pair for pair in (QUOTE, TRADE) if any(names[field] in table.column_names for field in pair)] or [QUOTE]
    needed = (*REQUIRED, *(field for pair in pairs for field in pair))
    for field in (*mapping, *needed):
        if field not in FIELDS or names[field] not in table.column_names:
            raise HistoryError(
                f"{path}: {field}={mapping.get(field, field)}: map each of {', '.join(REQUIRED)}, and of"
                f" {', '.join(QUOTE)} or {', '.join(TRADE)}, to one of {', '.join(table.column_names)}"
            )
    columns = {field: table.column(name) for field, name in names.items() if name in table.column_names}
    event_time_ns = times_ns(path, columns["event_time"], "event_time")
    order = np.argsort(event_time_ns, kind="stable")
    symbol = texts(path, columns["symbol"], "symbol")
    may_lack = len(pairs) == 2
    values = {field: _prices(path, columns[field], field, may_lack=may_lack) for pair in pairs for field in pair}
    for one, other in pairs:
        halved = np.isnan(values[one]) != np.isnan(values[other])
        _refuse_where(path, other, values[other], halved, f"give both of {one} and {other}, or leave both empty")
    if may_lack:
        empty = np.isnan(values["bid"]) & np.isnan(values["price"])
        _refuse_where(path, "bid", values["bid"], empty, "the row has neither quote nor trade; drop it")
    nothing = np.full(len(order), np.nan)
    bid, ask, price, size = (values.get(field, nothing)[order] for field in (*QUOTE, *TRADE))
    return TickHistory(
        [symbol[at] for at in order.tolist()],
        event_time_ns[order],
        bid,
        ask,
        price,
        size,
        _sequences(path, columns.get(SEQUENCE), len(order))[order],
    )


def _prices(path: Path, column: Any, field: str, *, may_lack: bool) -> npt.NDArray[np.float64]:
    """Return a column of positive numbers as float64[n], NaN where there is none."""
    lacking = np.zeros(len(column), dtype=np.bool_)
    if may_lack and column.null_count == len(column):
        return np.full(len(column), np.nan)
    if may_lack and column.null_count:
        lacking = np.asarray(column.is_null().to_numpy(), dtype=np.bool_)
        column = column.fill_null(1.0)
    values = numbers(path, column, field)
    _refuse_where(path, field, values, values <= 0.0, "is not more than 0; drop the row or correct it")
    return np.where(lacking, np.nan, values)


def _sequences(path: Path, column: Any, rows: int) -> npt.NDArray[np.int64]:
    """Return a column of numbers from 0 on as int64[n], -1 where there is none."""
    import pyarrow as pa

    if column is None:
        return np.full(rows, -1, dtype=np.int64)
    try:
        values = np.asarray(column.cast(pa.int64()).fill_null(-1).to_numpy(), dtype=np.int64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise HistoryError(f"{path}: {SEQUENCE}: is not a column of integers: {error}; correct it") from None
    _refuse_where(path, SEQUENCE, values, values < -1, "is less than 0; correct it")
    return values


def _refuse_where(path: Path, field: str, values: npt.NDArray[Any], wrong: npt.NDArray[np.bool_], remedy: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        raise HistoryError(f"{path}: row {rows[0]}, {field}={values[rows[0]].item()}: {remedy}")
