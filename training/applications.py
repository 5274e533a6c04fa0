"""Reads applications for credit from Parquet or CSV: who applies, when, and what each states."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from risk.table_columns import Value
from training.history import HistoryError, read_table, texts, times_ns, transaction_ids
from training.table import Table, load_table

IDENTIFIERS = ("application_id", "applicant_id")
FIRST_NS = 946_684_800_000_000_000
"""The time of the first application of a file without times, 2000-01-01; the others follow second by second."""


@dataclass(frozen=True, slots=True)
class Applications:
    """Applications in the file's order; `event_time_ns` int64[n] is nanoseconds since the Unix epoch."""

    application_id: list[str]
    applicant_id: list[str]
    event_time_ns: npt.NDArray[np.int64]
    fields: list[dict[str, Value]]

    def __len__(self) -> int:
        return len(self.application_id)


def read_applications(path: Path, mapping: Mapping[str, str], *, as_text: Sequence[str] = ()) -> Applications:
    """Return the applications in a .parquet or .csv file; what is no identifier and no time is a field.

    `mapping` gives the file's column for each of application_id, applicant_id and event_time; one that is left out is
    looked for under its own name. Without it the identifiers are the row's number, from row-0000000000 on, and the
    times go on by a second from FIRST_NS. Fields are as in `stated_fields`.

    Raises HistoryError, naming column, row (from 0), value and remedy, for anything that cannot be used: also for a
    number that is infinite, which JSON cannot say.
    """
    known = (*IDENTIFIERS, "event_time")
    unknown = sorted(set(mapping) - set(known))
    if unknown:
        raise HistoryError(f"--map {unknown[0]}: is no field; map one of {', '.join(known)}")
    arrow = read_table(path, text_columns=[mapping.get(name, name) for name in IDENTIFIERS])
    columns = {}
    for field in known:
        name = mapping.get(field, field)
        if name in arrow.column_names:
            columns[field] = arrow.column(name)
        elif field in mapping:
            raise HistoryError(
                f"{path}: has no column {name!r} for {field}; it has {', '.join(arrow.column_names)}:"
                f" give --map {field}=COLUMN"
            )
    table = load_table(path, categorical=as_text)
    apart = {mapping.get(field, field) for field in columns}
    stated = Table({name: values for name, values in table.columns.items() if name not in apart}, table.rows)
    _refuse_infinite(path, stated)
    applicants = columns.get("applicant_id")
    numbered = [f"row-{row:010d}" for row in range(table.rows)]
    return Applications(
        list(transaction_ids(path, columns.get("application_id"), table.rows, "application_id")),
        numbered if applicants is None else texts(path, applicants, "applicant_id"),
        times_ns(path, columns["event_time"], "event_time")
        if "event_time" in columns
        else FIRST_NS + np.arange(table.rows, dtype=np.int64) * 1_000_000_000,
        stated_fields(stated, as_text=as_text),
    )


def stated_fields(table: Table, *, as_text: Sequence[str] = ()) -> list[dict[str, Value]]:
    """Return each row by the name of its columns, None for what is missing.

    A text that reads as a number is that number: a single wrong cell makes texts of a whole column of a CSV file. It
    stays a text in the columns `as_text`.

    >>> table = Table({"age": ["41", "?"], "zip": ["007", None]}, 2)
    >>> stated_fields(table, as_text=["zip"])
    [{'age': 41.0, 'zip': '007'}, {'age': '?', 'zip': None}]
    """
    columns: dict[str, list[Value]] = {}
    for name, values in table.columns.items():
        if isinstance(values, np.ndarray):
            columns[name] = [None if np.isnan(value) else value for value in values.tolist()]
        elif name in as_text:
            columns[name] = list(values)
        else:
            columns[name] = [None if value is None else _number_or_text(value) for value in values]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _number_or_text(value: str) -> float | str:
    if "_" in value:
        # Python takes 1_000 for a number; nobody else does.
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if np.isfinite(number) else value


def _refuse_infinite(path: Path, table: Table) -> None:
    for name, values in table.columns.items():
        if isinstance(values, np.ndarray) and np.isinf(values).any():
            row = int(np.flatnonzero(np.isinf(values))[0])
            raise HistoryError(f"{path}: row {row}, {name}={values[row]}: is not finite; drop the row or correct it")
