"""Reads positions from Parquet or CSV: what portfolios hold, from when on."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from schemas.position import Position
from training.history import HistoryError, numbers, read_table, texts, times_ns

REQUIRED = ("portfolio", "event_time", "quantity")
SYMBOL = ("symbol",)
BOND = ("currency", "maturity", "coupon_percent", "frequency")
FIELDS = (*REQUIRED, *SYMBOL, *BOND)


def read_positions(path: Path, mapping: Mapping[str, str]) -> list[Position]:
    """Return the positions in a .parquet or .csv file, in order of time; equal times keep the file's order.

    `mapping` gives the file's column for each field; one that is left out is looked for under its own name. A row has a
    symbol, or all of currency, maturity, coupon_percent and frequency, and leaves the others empty. Raises
    HistoryError, naming column, row, value and remedy.
    """
    names = {field: mapping.get(field, field) for field in FIELDS}
    table = read_table(path, text_columns=[names["portfolio"], names["symbol"], names["currency"]])
    for field in (*mapping, *REQUIRED):
        if field not in FIELDS or names[field] not in table.column_names:
            raise HistoryError(
                f"{path}: {field}={mapping.get(field, field)}: map each of {', '.join(REQUIRED)}, and {SYMBOL[0]} or"
                f" {', '.join(BOND)}, to one of {', '.join(table.column_names)}"
            )
    rows = table.num_rows
    columns = {field: table.column(name) for field, name in names.items() if name in table.column_names}
    portfolio = texts(path, columns["portfolio"], "portfolio")
    event_time_ns = times_ns(path, columns["event_time"], "event_time").tolist()
    quantity = numbers(path, columns["quantity"], "quantity").tolist()
    optional = {field: _optional(columns.get(field), rows) for field in (*SYMBOL, *BOND)}
    maturity_ns = _times(path, columns.get("maturity"), rows)
    positions = []
    for row in range(rows):
        terms = {
            "schema_version": 1,
            "portfolio": portfolio[row],
            "event_time_ns": event_time_ns[row],
            "quantity": quantity[row],
            "symbol": optional["symbol"][row],
            "currency": optional["currency"][row],
            "maturity_ns": maturity_ns[row],
            "coupon_percent": optional["coupon_percent"][row],
            "frequency": None if optional["frequency"][row] is None else int(optional["frequency"][row]),
        }
        bond = [terms[field] for field in ("currency", "maturity_ns", "coupon_percent", "frequency")]
        if (terms["symbol"] is None) == (None in bond) or (terms["symbol"] is not None and any(bond)):
            raise HistoryError(f"{path}: row {row}: give a symbol, or all of {', '.join(BOND)}, and not both")
        try:
            positions.append(msgspec.convert({name: one for name, one in terms.items() if one is not None}, Position))
        except msgspec.ValidationError as error:
            raise HistoryError(f"{path}: row {row}: {error}; correct it") from None
    return sorted(positions, key=lambda one: one.event_time_ns)


def _optional(column: Any, rows: int) -> list[Any]:
    """Return a column's values, None where it has none; an empty text and NaN are none."""
    if column is None:
        return [None] * rows
    return [None if one == "" or (isinstance(one, float) and math.isnan(one)) else one for one in column.to_pylist()]


def _times(path: Path, column: Any, rows: int) -> list[int | None]:
    """Return a column of times in nanoseconds since the Unix epoch, None where there is none."""
    if column is None:
        return [None] * rows
    there = [at for at, missing in enumerate(column.is_null().to_pylist()) if not missing]
    found: list[int | None] = [None] * rows
    for at, time_ns in zip(there, times_ns(path, column.drop_null(), "maturity").tolist(), strict=True):
        found[at] = time_ns
    return found
