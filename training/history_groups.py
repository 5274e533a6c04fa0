"""Reads the column of a history by which groups are compared."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from training.group_values import MOST_VALUES, quarters
from training.history import History, HistoryError, read_table, transaction_ids

_IDENTITIES = ("transaction_id", "customer_id", "merchant_id")


def read_groups(path: Path, mapping: Mapping[str, str], column: str, history: History) -> list[str | None]:
    """Return the value of a file's column for each transaction of the history that was read from it; None is missing.

    Numbers of more than 20 different values become quarters. Raises HistoryError for a column that is not there or that
    identifies customers, merchants or transactions: groups are shown to readers.
    """
    id_column = mapping.get("transaction_id", "transaction_id")
    table = read_table(path, text_columns=[id_column])
    if column not in table.column_names:
        raise HistoryError(f"--group {column}: {path} has no such column; it has {', '.join(table.column_names)}")
    for one in _IDENTITIES:
        if column == mapping.get(one, one):
            raise HistoryError(f"--group {column}: is the column of {one}; name one that identifies nobody")
    ids = transaction_ids(path, table.column(id_column) if id_column in table.column_names else None, len(table))
    of_id = dict(zip(ids, _values(column, table.column(column)), strict=True))
    return [of_id[one] for one in history.transaction_id]


def _values(name: str, column: Any) -> list[str | None]:
    import pyarrow as pa
    import pyarrow.compute as pc

    numeric = pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type)
    if not numeric or pc.count_distinct(column).as_py() <= MOST_VALUES:
        try:
            texts: list[str | None] = column.cast(pa.string()).to_pylist()
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise HistoryError(f"--group {name}: is of type {column.type}; name a column of texts or numbers") from None
        return [one or None for one in texts]
    numbers = np.asarray(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    return quarters(numbers)
