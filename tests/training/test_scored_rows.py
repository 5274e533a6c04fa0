from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from history_messages import application_messages
from risk.application_fold import ApplicationFold
from risk.chunk import Chunk
from risk.table_bundle import TableBundle
from risk.table_columns import Invalid
from schemas.decision import Decision
from stream.bundle_files import read_table_bundle
from tests.small_table_bundle import small_loans, write_small_table_bundle
from training.applications import read_applications
from training.history import HistoryError
from training.scored_rows import ScoredRow, score_file, write_scored_rows

ROWS = 300


@pytest.fixture(scope="module", params=[True, False], ids=["scorecard", "trees"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TableBundle:
    """Give a bundle with a scorecard, or one of trees."""
    return read_table_bundle(write_small_table_bundle(tmp_path_factory.mktemp("bundles"), scorecard=request.param))


@pytest.fixture(scope="module", params=[".csv", ".parquet"])
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a file of applicants with ages that cannot be, and homes that nobody knows."""
    loans = small_loans(ROWS, seed=21)
    columns = {
        name: pa.array(values, from_pandas=True) if isinstance(values, np.ndarray) else pa.array(values, pa.string())
        for name, values in loans.columns.items()
    }
    ages = np.asarray(loans.columns["age"]).copy()
    ages[::50] = 17.0
    table = pa.table(columns | {"age": ages, "shoe size": ["44"] * ROWS})
    path = tmp_path_factory.mktemp("files") / f"applicants{request.param}"
    if path.suffix == ".csv":
        pa.csv.write_csv(table, path)
    else:
        pa.parquet.write_table(table, path)
    return path


def test_a_file_is_decided_as_its_messages_are(bundle: TableBundle, file: Path) -> None:
    """Probability, points, outcome, loss and reasons of each row are, bit for bit, those of the message sent for it."""
    sent = list(application_messages(read_applications(file, {})))
    keys, values = zip(*((key.encode(), value) for key, value in sent), strict=True)
    emitted = ApplicationFold(0, bundle=bundle).advance(
        Chunk.of("applications", 0, tuple(range(ROWS)), keys, values, caught_up=True)
    )
    live = {}
    for output in emitted.outputs:
        if output.stream == "decisions":
            one = msgspec.json.decode(output.value, type=Decision)
            live[one.source.offset] = ScoredRow(
                one.source.offset,
                one.probability,
                one.points,
                one.outcome,
                one.expected_loss,
                one.threshold,
                one.reasons,
            )
    found = score_file(bundle, file)
    assert [one.row for one in found] == list(range(ROWS))
    assert {one.row: one for one in found if one.invalid is None} == live
    assert [one for one in found if one.invalid is not None] == [
        ScoredRow(row, invalid=Invalid("age", "out_of_range", "17")) for row in range(0, ROWS, 50)
    ]


def test_every_row_is_written(bundle: TableBundle, file: Path, tmp_path: Path) -> None:
    """A file of each kind holds every row in its order, numbers to the last bit; JSON lines hold the reasons whole."""
    rows = score_file(bundle, file)
    for suffix in (".csv", ".parquet", ".jsonl"):
        write_scored_rows(tmp_path / f"out{suffix}", rows)
    csv, parquet = pa.csv.read_csv(tmp_path / "out.csv"), pa.parquet.read_table(tmp_path / "out.parquet")
    for table in (csv, parquet):
        assert table.column("row").to_pylist() == list(range(ROWS))
        assert table.column("probability").to_pylist() == [one.probability for one in rows]
        assert table.column("invalid").to_pylist()[0] == "age: out_of_range"
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert [msgspec.json.decode(line, type=ScoredRow) for line in lines] == rows


def test_a_column_that_is_not_there_is_named(bundle: TableBundle, tmp_path: Path) -> None:
    """A misspelt column is not taken for one whose values nobody knows."""
    path = tmp_path / "applicants.csv"
    path.write_text("age,Income,home,amount\n41,2000,own,9000\n")
    with pytest.raises(HistoryError, match="no column 'income', which the bundle scores by; it has age, Income"):
        score_file(bundle, path)


def test_categories_that_look_like_numbers_stay_texts(bundle: TableBundle, tmp_path: Path) -> None:
    """A home called 03 is that of the bundle, not the number 3."""
    columns = tuple(
        msgspec.structs.replace(one, categories=("01", "02", "03")) if one.name == "home" else one
        for one in bundle.manifest.columns
    )
    renamed = replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, columns=columns))
    path, other = tmp_path / "applicants.csv", tmp_path / "renamed.csv"
    path.write_text("age,income,home,amount\n41,2000,own,3000\n41,2000,rent,3000\n")
    other.write_text("age,income,home,amount\n41,2000,02,3000\n41,2000,03,3000\n")
    expected = [one.probability for one in score_file(bundle, path)]
    assert [one.probability for one in score_file(renamed, other)] == expected
    assert len(set(expected)) == 2


def test_an_infinite_number_is_invalid(bundle: TableBundle, tmp_path: Path) -> None:
    """It has no message to be equal to, and is no amount that anybody applies for."""
    path = tmp_path / "applicants.parquet"
    table = pa.table({"age": [41.0], "income": [2000.0], "home": ["own"], "amount": [float("inf")]})
    pa.parquet.write_table(table, path)
    (row,) = score_file(bundle, path)
    assert row == ScoredRow(0, invalid=Invalid("amount", "out_of_range", "inf"))
