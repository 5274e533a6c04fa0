"""From a table to rows that can be learnt from: the target told apart, categories numbered, what is wrong refused."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.table_columns import TableColumn, category_codes
from training.recipe import Data
from training.table import Table


class DataError(ValueError):
    """A table that cannot be learnt from; the message names the column, the row, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class TableData:
    """Encoded rows float64[n, C] of the columns, the event bool[n] and what is at stake float64[n], 1 if not told.

    `rows` int64[n] are the rows' numbers in their table, from 0, some of which may have been left out. `notes` say what
    was left out, for people.
    """

    columns: tuple[TableColumn, ...]
    matrix: npt.NDArray[np.float64]
    target: npt.NDArray[np.bool_]
    amount: npt.NDArray[np.float64]
    rows: npt.NDArray[np.int64]
    notes: tuple[str, ...]

    def where(self, rows: npt.NDArray[np.int64]) -> "TableData":
        """Return some of the rows, by number, in the order given."""
        return TableData(
            self.columns, self.matrix[rows], self.target[rows], self.amount[rows], self.rows[rows], self.notes
        )


def table_data(table: Table, plan: Data) -> TableData:
    """Return what a table holds, by the plan: every column but the target and those to drop, in the file's order.

    Categories are numbered in the order of their names. Raises DataError for a column that is not there, a target
    that is neither 0 nor 1 (or without the value that is positive), a value out of its range, and an amount that is
    negative or missing.
    """
    _require_columns(table, plan)
    target = _target(table, plan)
    columns, encoded = [], []
    for name, values in table.columns.items():
        if name == plan.target or name in plan.drop:
            continue
        low, high = plan.ranges.get(name, (None, None))
        if isinstance(values, np.ndarray):
            _require_range(name, values, low, high)
            columns.append(TableColumn(name, low=low, high=high))
            encoded.append(values)
        elif name in plan.ranges:
            raise DataError(f"column {name!r}: holds texts, which have no range; leave it out of data.ranges")
        else:
            categories = tuple(sorted({value for value in values if value is not None}))
            columns.append(TableColumn(name, categories=categories))
            encoded.append(category_codes(values, categories))
    if not columns:
        raise DataError("the table has no column besides the target and those to drop; keep one to learn from")
    amount = np.ones(table.rows)
    if plan.amount is not None:
        amount = _amount(table, plan.amount)
    data = TableData(tuple(columns), np.column_stack(encoded), target, amount, np.arange(table.rows), ())
    kept, notes = _kept_rows(data, plan)
    chosen = data.where(kept)
    return TableData(chosen.columns, chosen.matrix, chosen.target, chosen.amount, chosen.rows, tuple(notes))


def _require_columns(table: Table, plan: Data) -> None:
    named = [("data.target", plan.target), *(("data.drop", name) for name in plan.drop)]
    named += [("data.ranges", name) for name in plan.ranges]
    named += [] if plan.amount is None else [("data.amount", plan.amount)]
    for field, name in named:
        if name not in table.columns:
            raise DataError(f"{field} = {name!r}: is no column; the file has {', '.join(table.columns)}")


def _target(table: Table, plan: Data) -> npt.NDArray[np.bool_]:
    values = table.columns[plan.target]
    if plan.positive is None:
        if not isinstance(values, np.ndarray):
            raise DataError(f"column {plan.target!r}: holds texts; say with data.positive which one is the event")
        wrong = np.flatnonzero((values != 0.0) & (values != 1.0))
        if len(wrong):
            raise DataError(
                f"column {plan.target!r}, row {wrong[0]}: is {values[wrong[0]]}; correct it to 0 or 1, or say with"
                " data.positive which value is the event"
            )
        return np.asarray(values == 1.0)
    if isinstance(values, np.ndarray):
        if isinstance(plan.positive, str):
            raise DataError(f"data.positive = {plan.positive!r}: is a text, and {plan.target!r} holds numbers")
        gaps = np.flatnonzero(np.isnan(values))
        found = np.asarray(values == float(plan.positive))
    else:
        gaps = np.array([row for row, value in enumerate(values) if value is None], dtype=np.int64)
        found = np.array([value == str(plan.positive) for value in values])
    if len(gaps):
        raise DataError(f"column {plan.target!r}, row {gaps[0]}: is missing; drop the row or fill it")
    if not 0 < int(found.sum()) < len(found):
        raise DataError(
            f"data.positive = {plan.positive!r}: {int(found.sum())} of {len(found)} rows have it; need both"
        )
    return found


def _require_range(name: str, values: npt.NDArray[np.float64], low: float | None, high: float | None) -> None:
    if low is None or high is None:
        return
    wrong = np.flatnonzero((values < low) | (values > high))
    if len(wrong):
        raise DataError(
            f"column {name!r}, row {wrong[0]}: {values[wrong[0]]:.12g} is not in [{low:.12g}, {high:.12g}]"
            f" ({len(wrong)} rows); correct them, or widen data.ranges"
        )


def _amount(table: Table, name: str) -> npt.NDArray[np.float64]:
    values = table.columns[name]
    if not isinstance(values, np.ndarray):
        raise DataError(f"data.amount = {name!r}: holds texts; name a column of amounts")
    wrong = np.flatnonzero(~(values >= 0.0))
    if len(wrong):
        raise DataError(f"column {name!r}, row {wrong[0]}: an amount of {values[wrong[0]]}; correct it to 0 or more")
    return values


def _kept_rows(data: TableData, plan: Data) -> tuple[npt.NDArray[np.int64], list[str]]:
    kept, notes = np.arange(len(data.matrix)), []
    if plan.missing == "drop":
        whole = np.flatnonzero(~np.isnan(data.matrix).any(axis=1))
        notes.append(f"{len(kept) - len(whole):,} rows with a missing value were left out")
        kept = whole
    if plan.duplicates == "drop":
        rows = np.column_stack([data.matrix[kept], data.target[kept]])
        # A view of bytes compares NaN with NaN as equal.
        packed = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
        first = np.sort(np.unique(packed, return_index=True)[1])
        notes.append(f"{len(kept) - len(first):,} rows that repeat an earlier one were left out")
        kept = kept[first]
    if not len(kept):
        raise DataError("no row is left; keep rows with missing values, and impute them by a step")
    return kept, notes
