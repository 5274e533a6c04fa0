"""Tables of files: what each kind of column becomes."""

import datetime as dt
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.history import HistoryError
from training.table import load_table


def test_each_kind_of_column_becomes_numbers_or_texts(tmp_path: Path) -> None:
    """Numbers, flags and times are float64 with NaN for what is missing; texts have None, for the empty one too."""
    path = tmp_path / "table.parquet"
    noon = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    pq.write_table(
        pa.table(
            {
                "age": pa.array([30, None, 50], pa.int32()),
                "flag": pa.array([True, False, None]),
                "at": pa.array([noon, None, noon], pa.timestamp("us", tz="UTC")),
                "job": pa.array(["clerk", "", None]),
                "town": pa.array(["Ulm", "Ulm", None]).dictionary_encode(),
                "nothing": pa.nulls(3),
            }
        ),
        path,
    )
    table = load_table(path)
    assert table.rows == 3
    assert list(table.columns) == ["age", "flag", "at", "job", "town", "nothing"]
    assert table.times == {"at"}
    np.testing.assert_array_equal(table.columns["age"], [30.0, np.nan, 50.0])
    np.testing.assert_array_equal(table.columns["flag"], [1.0, 0.0, np.nan])
    np.testing.assert_array_equal(table.columns["at"], [noon.timestamp(), np.nan, noon.timestamp()])
    assert table.columns["job"] == ["clerk", None, None]
    assert table.columns["town"] == ["Ulm", "Ulm", None]
    np.testing.assert_array_equal(table.columns["nothing"], [np.nan] * 3)


def test_a_column_named_categorical_stays_text(tmp_path: Path) -> None:
    """A code of 007 keeps its noughts when the column is named."""
    path = tmp_path / "table.csv"
    path.write_text("code,amount\n007,1.5\n008,\n")
    table = load_table(path, categorical=["code"])
    assert table.columns["code"] == ["007", "008"]
    np.testing.assert_array_equal(table.columns["amount"], [1.5, np.nan])


def test_rows_are_chosen_by_number(tmp_path: Path) -> None:
    """The rows come in the order of their numbers as given."""
    path = tmp_path / "table.csv"
    path.write_text("code,amount\na,1\nb,2\nc,3\n")
    chosen = load_table(path).where(np.array([2, 0]))
    assert chosen.rows == 2
    assert chosen.times == set()
    assert chosen.columns["code"] == ["c", "a"]
    np.testing.assert_array_equal(chosen.columns["amount"], [3.0, 1.0])


@pytest.mark.parametrize(
    ("content", "categorical", "says"),
    [
        ("a,b\n", [], "has no rows"),
        ("a,b\n1,2\n", ["c"], "has no column 'c' to take as categorical; it has a, b"),
        ("a,a\n1,2\n", [], "two columns 'a'"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, content: str, categorical: list[str], says: str) -> None:
    """The message names the column and what to do."""
    path = tmp_path / "table.csv"
    path.write_text(content)
    with pytest.raises(HistoryError, match=says):
        load_table(path, categorical=categorical)


def test_a_column_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Lists and other nests have no place in a table."""
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"many": [[1], [2]]}), path)
    with pytest.raises(HistoryError, match=r"column 'many' is of type list<.*give numbers"):
        load_table(path)
