from pathlib import Path

import pyarrow.dataset as ds
import pytest
from forwarding import some_alerts

from schemas.alert import Alert
from stream.forward.alert_table import SCHEMA, AlertRow
from stream.forward.trail_files import PENDING, Span, TrailFiles

ROWS = [AlertRow(alert, "alerts", 2, 100 + at) for at, alert in enumerate(some_alerts(50))]


def trail(folder: Path) -> list[int]:
    """Return the offsets in the trail, as a reader finds them."""
    if not list(folder.glob("date=*")):
        return []
    offsets: list[int] = ds.dataset(folder, partitioning="hive").to_table(columns=["offset"])["offset"].to_pylist()
    return sorted(offsets)


def pending(folder: Path) -> list[str]:
    """Return the names of what is pending."""
    return sorted(path.name for path in (folder / PENDING).iterdir())


def staged(folder: Path, rows: list[AlertRow] = ROWS) -> tuple[TrailFiles, Span]:
    """Stage rows by a writer of their own."""
    files = TrailFiles(folder)
    span = files.span(rows, rows[-1].offset)
    files.stage(span, rows)
    return files, span


def test_the_columns_are_the_fields_of_an_alert_and_its_place() -> None:
    """A field that alerts gain is a column that is missed here."""
    assert tuple(SCHEMA.names) == (*Alert.__struct_fields__, "topic", "partition", "offset")


def test_a_span_shows_only_once_it_is_committed(tmp_path: Path) -> None:
    """Staged, readers find nothing; published, all of it, by day, and nothing is pending."""
    files, span = staged(tmp_path)
    assert trail(tmp_path) == []
    files.publish(span)
    assert trail(tmp_path) == list(range(100, 150))
    assert pending(tmp_path) == []
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet")} == {
        f"date=2026-01-0{day}/part-00002-000000000100-000000000149.parquet" for day in (1, 2, 3)
    }
    assert (files.end(2), files.end(1)) == (150, 0)


def test_what_died_before_its_commit_goes(tmp_path: Path) -> None:
    """Pending files that no commit names are removed, half written ones too; another partition's stay."""
    staged(tmp_path)
    (tmp_path / PENDING / "5f.date=2026-01-01.part-00002-000000000100-000000000120.parquet").write_bytes(b"PAR1")
    other = "5f.date=2026-01-01.part-00001-000000000100-000000000120.parquet"
    (tmp_path / PENDING / other).write_bytes(b"PAR1")
    TrailFiles(tmp_path).recover(2, None)
    assert trail(tmp_path) == []
    assert pending(tmp_path) == [other]


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_what_died_after_its_commit_comes(tmp_path: Path, moved: int) -> None:
    """However many of a span's days were moved by then, the next owner of the partition moves the rest."""
    _, span = staged(tmp_path)
    for name in pending(tmp_path)[:moved]:
        day = tmp_path / name.split(".")[1]
        day.mkdir()
        (tmp_path / PENDING / name).rename(day / span.name)
    committed = Span.committed_as(span.commit_text(), 2, 150)
    assert committed == span
    for _ in range(2):
        TrailFiles(tmp_path).recover(2, committed)
        assert trail(tmp_path) == list(range(100, 150))
        assert pending(tmp_path) == []


def test_a_sleeper_that_wakes_adds_nothing(tmp_path: Path) -> None:
    """Its span was never committed, so what it staged goes; what it could still move was moved by its heir."""
    sleeper, uncommitted = staged(tmp_path, ROWS[:20])
    _, span = staged(tmp_path)
    TrailFiles(tmp_path).recover(2, span)
    sleeper.discard(uncommitted)
    assert trail(tmp_path) == list(range(100, 150))
    heir, committed = staged(tmp_path / "b")
    TrailFiles(tmp_path / "b").recover(2, committed)
    heir.publish(committed)
    assert trail(tmp_path / "b") == list(range(100, 150))


def test_of_two_writers_of_a_span_only_the_one_that_committed_counts(tmp_path: Path) -> None:
    """The other's files, which may be half written, go."""
    _, first = staged(tmp_path)
    name = f"{'0' * 16}.date=2026-01-01.{first.name}"
    (tmp_path / PENDING / name).write_bytes(b"PAR1")
    TrailFiles(tmp_path).recover(2, first)
    assert trail(tmp_path) == list(range(100, 150))
    assert pending(tmp_path) == []


@pytest.mark.parametrize("text", ["", "100", "x 5f", "100 5f 5f", "100 ../x"])
def test_a_commit_of_someone_else_names_no_span(text: str) -> None:
    """A commit made by hand, or by another program, says nothing of files."""
    assert Span.committed_as(text, 2, 150) is None
