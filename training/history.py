"""Reads a history of transactions from Parquet or CSV, by a mapping of columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DAY_NS = 86_400_000_000_000
REQUIRED = ("transaction_id", "customer_id", "merchant_id", "amount", "event_time")
OPTIONAL = ("fraud", "label_time")


class HistoryError(ValueError):
    """A history that cannot be used: the message names the column, the row, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class History:
    """Transactions in the order of (event time, id), with what became known of each.

    `amount` float64[n] is in one currency; `event_time_ns` and `label_time_ns` int64[n] are nanoseconds since the Unix
    epoch; `fraud` bool[n]. A fraud becomes known at its `label_time_ns`.
    """

    transaction_id: list[str]
    customer_id: list[str]
    merchant_id: list[str]
    amount: npt.NDArray[np.float64]
    event_time_ns: npt.NDArray[np.int64]
    fraud: npt.NDArray[np.bool_]
    label_time_ns: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.transaction_id)

    def where(self, chosen: npt.NDArray[np.int64]) -> "History":
        """Return some of the transactions, by their numbers in ascending order."""
        at = chosen.tolist()
        return History(
            [self.transaction_id[i] for i in at],
            [self.customer_id[i] for i in at],
            [self.merchant_id[i] for i in at],
            self.amount[chosen],
            self.event_time_ns[chosen],
            self.fraud[chosen],
            self.label_time_ns[chosen],
        )


def in_order(history: History) -> History:
    """Return the same transactions in the order of (event time, id)."""
    by_id = np.argsort(np.array(history.transaction_id, dtype=object), kind="stable")
    return history.where(by_id[np.argsort(history.event_time_ns[by_id], kind="stable")])


def read_history(path: Path, mapping: Mapping[str, str], *, delay_days: float = 7.0) -> History:
    """Return the history in a .parquet or .csv file.

    `mapping` gives the file's column for each of transaction_id, customer_id, merchant_id, amount, event_time and,
    where the file has them, fraud (0 or 1, or true and false) and label_time; a field that is left out is looked for
    under its own name. Times are timestamps, ISO 8601 text, or integers of nanoseconds since the Unix epoch; times
    without a zone are UTC. Without label_time a fraud becomes known `delay_days` after it.

    Raises HistoryError, naming column, row, value and remedy, for anything that cannot be used.
    """
    unknown = sorted(set(mapping) - {*REQUIRED, *OPTIONAL})
    if unknown:
        raise HistoryError(f"--map {unknown[0]}: is no field; map one of {', '.join((*REQUIRED, *OPTIONAL))}")
    table = read_table(path)
    columns = {}
    for field in (*REQUIRED, *OPTIONAL):
        name = mapping.get(field, field)
        if name in table.column_names:
            columns[field] = table.column(name)
        elif field in REQUIRED or field in mapping:
            raise HistoryError(
                f"{path}: has no column {name!r} for {field}; it has {', '.join(table.column_names)}:"
                f" give --map {field}=COLUMN"
            )
    ids = {field: texts(path, columns[field], field) for field in REQUIRED[:3]}
    amount = numbers(path, columns["amount"], "amount")
    wrong = np.flatnonzero(~((amount >= 0.0) & (amount <= 1e9)))
    if len(wrong):
        raise HistoryError(
            f"{path}: row {wrong[0]}, amount={amount[wrong[0]]}: is not in 0 to 1e9; drop the row or correct it"
        )
    event_time_ns = times_ns(path, columns["event_time"], "event_time")
    fraud = (
        numbers(path, columns["fraud"], "fraud") != 0.0 if "fraud" in columns else np.zeros(len(amount), dtype=np.bool_)
    )
    label_time_ns = (
        times_ns(path, columns["label_time"], "label_time")
        if "label_time" in columns
        else event_time_ns + int(delay_days * DAY_NS)
    )
    return in_order(
        History(
            ids["transaction_id"], ids["customer_id"], ids["merchant_id"], amount, event_time_ns, fraud, label_time_ns
        )
    )


def read_table(path: Path) -> Any:
    """Return the pyarrow table in a .parquet or .csv file; raises HistoryError for anything else."""
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
            return pa.csv.read_csv(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise HistoryError(f"{path}: cannot be read: {error}") from None
    raise HistoryError(f"{path}: ends in {path.suffix!r}; give a .parquet or .csv file")


def texts(path: Path, column: Any, field: str) -> list[str]:
    """Return a column as text; raises HistoryError for an empty value."""
    import pyarrow as pa

    values: list[str | None] = column.cast(pa.string()).to_pylist()
    for row, value in enumerate(values):
        if not value or len(value) > 64:
            raise HistoryError(f"{path}: row {row}, {field}={value!r}: has not 1 to 64 characters; drop or correct it")
    return [value or "" for value in values]


def numbers(path: Path, column: Any, field: str) -> npt.NDArray[np.float64]:
    """Return a column as float64[n]; raises HistoryError for what is missing or no number."""
    import pyarrow as pa

    try:
        cast = column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise HistoryError(f"{path}: {field}: is not a column of numbers: {error}; correct it") from None
    values = np.asarray(cast.to_numpy(), dtype=np.float64)
    missing = np.flatnonzero(~np.isfinite(values))
    if len(missing):
        raise HistoryError(f"{path}: row {missing[0]}, {field}: is missing or not finite; drop the row or fill it")
    return values


def times_ns(path: Path, column: Any, field: str) -> npt.NDArray[np.int64]:
    """Return a column of times as int64[n], nanoseconds since the Unix epoch; raises HistoryError for others."""
    import pyarrow as pa

    try:
        if not pa.types.is_integer(column.type):
            zone = column.type.tz if pa.types.is_timestamp(column.type) else None
            column = column.cast(pa.timestamp("ns", tz=zone)).cast(pa.int64())
        if column.null_count:
            row = column.to_pylist().index(None)
            raise HistoryError(f"{path}: row {row}, {field}: is missing; drop the row or fill it")
        values = np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise HistoryError(
            f"{path}: {field}: is not a column of times: {error}; give timestamps, ISO 8601 or integer nanoseconds"
        ) from None
    outside = np.flatnonzero((values < 946_684_800_000_000_000) | (values >= 4_102_444_800_000_000_000))
    if len(outside):
        raise HistoryError(
            f"{path}: row {outside[0]}, {field}={values[outside[0]]}: is not in the years 2000 to 2099; integers are"
            " nanoseconds since the Unix epoch"
        )
    return values
