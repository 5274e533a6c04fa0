"""Reads a history of transactions from Parquet or CSV, by a mapping of columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from risk.byte_slices import TextColumn
from risk.event_order import merge_order
from training.arrow_texts import numbered_rows, text_column

DAY_NS = 86_400_000_000_000
REQUIRED = ("transaction_id", "customer_id", "merchant_id", "amount", "event_time")
OPTIONAL = ("fraud", "label_time")

TimeUnit = Literal["ns", "us", "ms", "s"]
"""The unit of times that are integers."""

_UNIT_NS: dict[TimeUnit, int] = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_YEAR_2000_NS = 946_684_800_000_000_000
_YEAR_2100_NS = 4_102_444_800_000_000_000


class HistoryError(ValueError):
    """A history that cannot be used: the message names the column, the row, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class History:
    """Transactions in the order of (event time, id), with what became known of each.

    `amount` float64[n] is in one currency; `event_time_ns` and `label_time_ns` int64[n] are nanoseconds since the Unix
    epoch; `fraud` bool[n]. A fraud becomes known at its `label_time_ns`.
    """

    transaction_id: TextColumn
    customer_id: TextColumn
    merchant_id: TextColumn
    amount: npt.NDArray[np.float64]
    event_time_ns: npt.NDArray[np.int64]
    fraud: npt.NDArray[np.bool_]
    label_time_ns: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.transaction_id)

    def where(self, chosen: npt.NDArray[np.int64]) -> "History":
        """Return some of the transactions, by their numbers in ascending order."""
        return History(
            self.transaction_id.take(chosen),
            self.customer_id.take(chosen),
            self.merchant_id.take(chosen),
            self.amount[chosen],
            self.event_time_ns[chosen],
            self.fraud[chosen],
            self.label_time_ns[chosen],
        )


def in_order(history: History) -> History:
    """Return the same transactions in the order of (event time, id)."""
    one_rank = np.zeros(len(history), dtype=np.bool_)
    return history.where(merge_order(history.event_time_ns, one_rank, history.transaction_id))


def read_history(
    path: Path,
    mapping: Mapping[str, str],
    *,
    delay_days: float = 7.0,
    amount_divisor: float = 1.0,
    time_unit: TimeUnit = "ns",
    time_origin_ns: int = 0,
) -> History:
    """Return the history in a .parquet or .csv file.

    `mapping` gives the file's column for each of transaction_id, customer_id, merchant_id, amount, event_time and,
    where the file has them, fraud (0 or 1, or true and false) and label_time; a field that is left out is looked for
    under its own name. Without transaction_id the rows are numbered, in the file's order: row-0000000000 and on.

    Amounts are divided by `amount_divisor`: 100 reads cents. Times are timestamps, ISO 8601 text, or integers of
    `time_unit` since `time_origin_ns` (nanoseconds since the Unix epoch); times without a zone are UTC. Without
    label_time a fraud becomes known `delay_days` after it.

    Raises HistoryError, naming column, row (from 0), value and remedy, for anything that cannot be used.
    """
    unknown = sorted(set(mapping) - {*REQUIRED, *OPTIONAL})
    if unknown:
        raise HistoryError(f"--map {unknown[0]}: is no field; map one of {', '.join((*REQUIRED, *OPTIONAL))}")
    table = read_table(path, text_columns=[mapping.get(field, field) for field in REQUIRED[:3]])
    columns = {}
    for field in (*REQUIRED, *OPTIONAL):
        name = mapping.get(field, field)
        if name in table.column_names:
            columns[field] = table.column(name)
        elif field in mapping or field in REQUIRED[1:]:
            raise HistoryError(
                f"{path}: has no column {name!r} for {field}; it has {', '.join(table.column_names)}:"
                f" give --map {field}=COLUMN"
            )
    if not len(table):
        raise HistoryError(f"{path}: has no rows; give a file of past transactions")
    amount = numbers(path, columns["amount"], "amount") / amount_divisor
    _refuse(path, "amount", amount, ~((amount >= 0.0) & (amount <= 1e9)), "is not in 0 to 1e9; drop or correct it")
    event_time_ns = times_ns(path, columns["event_time"], "event_time", time_unit, time_origin_ns)
    label_time_ns = event_time_ns + int(delay_days * DAY_NS)
    if "label_time" in columns:
        label_time_ns = times_ns(path, columns["label_time"], "label_time", time_unit, time_origin_ns)
        _refuse(path, "label_time", label_time_ns, label_time_ns < event_time_ns, "is before event_time; correct it")
    return in_order(
        History(
            transaction_ids(path, columns.get("transaction_id"), len(amount)),
            text_column(_given_texts(path, columns["customer_id"], "customer_id")),
            text_column(_given_texts(path, columns["merchant_id"], "merchant_id")),
            amount,
            event_time_ns,
            _frauds(path, columns.get("fraud"), len(amount)),
            label_time_ns,
        )
    )


def transaction_ids(path: Path, column: Any, rows: int, field: str = "transaction_id") -> TextColumn:
    """Return the ids of a file's rows, in its order; without a column, None, they are the rows' numbers.

    Raises HistoryError, naming the field and the row, for an id that is missing or there twice.
    """
    if column is None:
        # Of one width, so that equal times keep the file's order.
        return numbered_rows(rows)
    import pyarrow.compute as pc

    given = _given_texts(path, column, field)
    ids = text_column(given)
    if pc.count_distinct(given).as_py() < rows:
        first: dict[str, int] = {}
        row = next(row for row, one in enumerate(ids) if first.setdefault(one, row) != row)
        raise HistoryError(
            f"{path}: row {row}, {field}={ids[row]!r}: is also that of row {first[ids[row]]}; drop one of them,"
            f" or give --map {field}=COLUMN for a column whose values are unique"
        )
    return ids


def _frauds(path: Path, column: Any, rows: int) -> npt.NDArray[np.bool_]:
    if column is None:
        return np.zeros(rows, dtype=np.bool_)
    given = numbers(path, column, "fraud")
    _refuse(path, "fraud", given, (given != 0.0) & (given != 1.0), "is neither 0 nor 1; correct it")
    return np.asarray(given == 1.0, dtype=np.bool_)


def _refuse(path: Path, field: str, values: npt.NDArray[Any], wrong: npt.NDArray[np.bool_], remedy: str) -> None:
    rows = np.flatnonzero(wrong)
    if len(rows):
        raise HistoryError(f"{path}: row {rows[0]}, {field}={values[rows[0]].item()}: {remedy}")


def read_table(path: Path, *, text_columns: Sequence[str]) -> Any:
    """Return the pyarrow table in a .parquet or .csv file; raises HistoryError for anything else.

    `text_columns` of a CSV file are not taken for numbers, so that an id of 007 stays one.
    """
    try:
        import pyarrow as pa
        import pyarrow.csv
        import pyarrow.parquet
    except ImportError:
        raise HistoryError(f"{path}: reading files needs pyarrow; pip install 'riskstream[history]'") from None
    if not path.is_file():
        raise HistoryError(f"{path}: is no file; give the path of a .parquet or .csv file")
    try:
        if path.suffix == ".parquet":
            return pa.parquet.read_table(path)
        if path.suffix == ".csv":
            as_text = pa.csv.ConvertOptions(column_types=dict.fromkeys(text_columns, pa.string()))
            return pa.csv.read_csv(path, convert_options=as_text)
    except (pa.ArrowInvalid, OSError) as error:
        raise HistoryError(f"{path}: cannot be read: {error}; give a whole .parquet or .csv file") from None
    raise HistoryError(f"{path}: ends in {path.suffix!r}; give a .parquet or .csv file")


def texts(path: Path, column: Any, field: str) -> list[str]:
    """Return a column as text; raises HistoryError for a value that is missing, or has not 1 to 64 characters."""
    given: list[str] = _given_texts(path, column, field).to_pylist()
    return given


def _given_texts(path: Path, column: Any, field: str) -> Any:
    """Return a column as pyarrow's strings; raises as `texts` does."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        given = column.cast(pa.large_string())
        given.validate(full=True)  # Parquet may hold bytes that are no text
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise HistoryError(f"{path}: {field}: is not a column of text: {error}; correct it") from None
    length = pc.fill_null(pc.utf8_length(given), 0).to_numpy()
    rows = np.flatnonzero((length < 1) | (length > 64))
    if len(rows):
        raise HistoryError(
            f"{path}: row {rows[0]}, {field}={given[int(rows[0])].as_py()!r}: has not 1 to 64 characters; drop or"
            " correct it"
        )
    return given


def numbers(path: Path, column: Any, field: str) -> npt.NDArray[np.float64]:
    """Return a column as float64[n]; raises HistoryError for what is missing or no number."""
    import pyarrow as pa

    try:
        values = np.asarray(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise HistoryError(f"{path}: {field}: is not a column of numbers: {error}; correct it") from None
    _refuse(path, field, values, ~np.isfinite(values), "is missing or not finite; drop the row or fill it")
    return values


def times_ns(path: Path, column: Any, field: str, unit: TimeUnit = "ns", origin_ns: int = 0) -> npt.NDArray[np.int64]:
    """Return a column of times as int64[n], nanoseconds since the Unix epoch; raises HistoryError for others.

    Integers count `unit`s since `origin_ns`, itself in nanoseconds since the Unix epoch.
    """
    import pyarrow as pa

    integers = pa.types.is_integer(column.type)
    try:
        if not integers:
            column = _timestamps(column).cast(pa.int64())
        if column.null_count:
            row = column.to_pylist().index(None)
            raise HistoryError(f"{path}: row {row}, {field}: is missing; drop the row or fill it")
        values = np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise HistoryError(
            f"{path}: {field}: is not a column of times: {error}; give timestamps, ISO 8601 or integers"
        ) from None
    step_ns, start_ns = (_UNIT_NS[unit], origin_ns) if integers else (1, 0)
    # Compared before multiplying, which could overflow.
    outside = (values < -((start_ns - _YEAR_2000_NS) // step_ns)) | (values >= (_YEAR_2100_NS - start_ns) // step_ns)
    _refuse(
        path,
        field,
        values,
        outside,
        "is not in the years 2000 to 2099; integers count nanoseconds since 1970 unless --time-unit and --time-origin"
        " say otherwise",
    )
    return start_ns + values * step_ns


def _timestamps(column: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("ns", tz=column.type.tz))
    try:
        return column.cast(pa.timestamp("ns"))
    except pa.ArrowInvalid:
        # Text with a zone, such as 2026-01-01T00:00:00Z, is only taken for a type that has one.
        return column.cast(pa.timestamp("ns", tz="UTC"))
