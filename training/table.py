"""A table of a .parquet or .csv file: each column numbers or texts, either of which may be missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.history import HistoryError, read_table

Numbers = npt.NDArray[np.float64]
Texts = list[str | None]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by name, in the file's order: float64[n] with NaN for what is missing, or texts with None.

    Times are numbers, seconds since the Unix epoch, of the columns named in `times`; true and false are 1 and 0.
    """

    columns: Mapping[str, Numbers | Texts]
    rows: int
    times: frozenset[str] = frozenset()

    def where(self, chosen: npt.NDArray[np.int64]) -> "Table":
        """Return some of the rows, by number, in the order given."""
        at = chosen.tolist()
        return Table(
            {
                name: values[chosen] if isinstance(values, np.ndarray) else [values[i] for i in at]
                for name, values in self.columns.items()
            },
            len(at),
            self.times,
        )


def load_table(path: Path, *, categorical: Sequence[str] = ()) -> Table:
    """Return the table in a file; the columns named `categorical` are read as texts, whatever they look like.

    An empty text is missing, and so is one of spaces. Raises HistoryError, naming column and remedy, for a file that
    cannot be read, one without rows, a column of another kind, and an unknown name in `categorical`.
    """
    arrow = read_table(path, text_columns=categorical)
    unknown = [name for name in categorical if name not in arrow.column_names]
    if unknown:
        raise HistoryError(
            f"{path}: has no column {unknown[0]!r} to take as categorical; it has {', '.join(arrow.column_names)}"
        )
    if not len(arrow):
        raise HistoryError(f"{path}: has no rows; give a file that has some")
    twice = sorted({name for name in arrow.column_names if arrow.column_names.count(name) > 1})
    if twice:
        raise HistoryError(f"{path}: has two columns {twice[0]!r}; rename one of them")
    columns = {
        name: _texts(arrow.column(name)) if name in categorical else _column(path, name, arrow.column(name))
        for name in arrow.column_names
    }
    times = frozenset(field.name for field in arrow.schema if field.name not in categorical and _is_time(field.type))
    return Table(columns, len(arrow), times)


def _is_time(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _column(path: Path, name: str, column: Any) -> Numbers | Texts:
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _texts(column)
    if _is_time(kind):
        nanoseconds = column.cast(pa.timestamp("ns", tz=getattr(kind, "tz", None))).cast(pa.int64())
        return _floats(nanoseconds) / 1e9
    if pa.types.is_boolean(kind):
        return _floats(column.cast(pa.int8()))
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _floats(column)
    raise HistoryError(f"{path}: column {name!r} is of type {kind}; give numbers, texts, times or true and false")


def _floats(column: Any) -> Numbers:
    import pyarrow as pa

    # Integers above 2^53 are rounded: they are identifiers, of which no model learns anything.
    return np.asarray(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _texts(column: Any) -> Texts:
    import pyarrow as pa

    return [value if value and value.strip() else None for value in column.cast(pa.string()).to_pylist()]
