from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from training.applications import FIRST_NS, read_applications
from training.history import HistoryError


def csv(folder: Path, text: str) -> Path:
    """Write a CSV file."""
    path = folder / "applicants.csv"
    path.write_text(text)
    return path


def test_a_file_without_ids_and_times_is_numbered(tmp_path: Path) -> None:
    """Rows get their number for both ids, and a second each from the year 2000 on."""
    found = read_applications(csv(tmp_path, "age,home\n41,own\n,rent\n"), {})
    assert found.application_id == found.applicant_id == ["row-0000000000", "row-0000000001"]
    assert found.event_time_ns.tolist() == [FIRST_NS, FIRST_NS + 10**9]
    assert found.fields == [{"age": 41.0, "home": "own"}, {"age": None, "home": "rent"}]


def test_mapped_columns_are_no_fields(tmp_path: Path) -> None:
    """Ids stay texts, times are read, and what is left are the fields."""
    path = csv(tmp_path, "NO,WHO,WHEN,age\n007,p1,2026-01-05T10:00:00,41\n008,p1,2026-01-05T09:00:00,42\n")
    found = read_applications(path, {"application_id": "NO", "applicant_id": "WHO", "event_time": "WHEN"})
    assert found.application_id == ["007", "008"]
    assert found.applicant_id == ["p1", "p1"]
    assert np.diff(found.event_time_ns).tolist() == [-3600 * 10**9]
    assert found.fields == [{"age": 41.0}, {"age": 42.0}]


def test_one_wrong_cell_does_not_make_texts_of_the_others(tmp_path: Path) -> None:
    """A text that reads as a number is one, but in a column that is told to be text, and but for what is not finite."""
    path = csv(tmp_path, "age,zip,code\n41,007,1_000\nforty,008,inf\n1e3,,x\n")
    fields = read_applications(path, {}, as_text=["zip"]).fields
    assert [one["age"] for one in fields] == [41.0, "forty", 1000.0]
    assert [one["zip"] for one in fields] == ["007", "008", None]
    assert [one["code"] for one in fields] == ["1_000", "inf", "x"]


def test_an_id_that_is_twice_is_refused(tmp_path: Path) -> None:
    """Two applications of one id would get one decision's id."""
    path = csv(tmp_path, "application_id,age\na,41\nb,42\na,43\n")
    with pytest.raises(HistoryError, match=r"row 2, application_id='a': is also that of row 0"):
        read_applications(path, {})


def test_what_json_cannot_say_is_refused(tmp_path: Path) -> None:
    """An infinite number would be sent as null, and decided as missing."""
    path = tmp_path / "applicants.parquet"
    pa.parquet.write_table(pa.table({"age": [41.0, float("inf")]}), path)
    with pytest.raises(HistoryError, match=r"row 1, age=inf: is not finite"):
        read_applications(path, {})
