"""Reads a history of quotes from Parquet or CSV."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.history import HistoryError, numbers, read_table, texts, times_ns

FIELDS = ("symbol", "event_time", "bid", "ask")


@dataclass(frozen=True, slots=True)
class TickHistory:
    """Quotes in order of time; `event_time_ns` int64[n] nanoseconds since the Unix epoch, prices float64[n]."""

    symbol: list[str]
    event_time_ns: npt.NDArray[np.int64]
    bid: npt.NDArray[np.float64]
    ask: npt.NDArray[np.float64]


def read_ticks(path: Path, mapping: Mapping[str, str]) -> TickHistory:
    """Return the quotes in a .parquet or .csv file, in order of time; equal times keep the file's order.

    `mapping` gives the file's column for each of symbol, event_time, bid and ask; a field that is left out is looked
    for under its own name. Raises HistoryError, naming column, row, value and remedy.
    """
    table = read_table(path, text_columns=[mapping.get("symbol", "symbol")])
    for field in (*mapping, *FIELDS):
        name = mapping.get(field, field)
        if field not in FIELDS or name not in table.column_names:
            raise HistoryError(
                f"{path}: {field}={name}: map each of {', '.join(FIELDS)} to one of {', '.join(table.column_names)}"
            )
    columns = {field: table.column(mapping.get(field, field)) for field in FIELDS}
    event_time_ns = times_ns(path, columns["event_time"], "event_time")
    order = np.argsort(event_time_ns, kind="stable")
    symbol = texts(path, columns["symbol"], "symbol")
    return TickHistory(
        [symbol[at] for at in order.tolist()],
        event_time_ns[order],
        numbers(path, columns["bid"], "bid")[order],
        numbers(path, columns["ask"], "ask")[order],
    )
