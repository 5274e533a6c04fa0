import json
from pathlib import Path

import pytest

from schemas.score import Score
from schemas.source import Source
from stream.record_lines import RecordFileError, record_lines
from stream.scored_record import ScoredRecord

MESSAGE = Score(1, "t1", "c1", "m1", 5, Source("transactions", 0, 7), 0.25, "approve", (0.1,), "demo", "0123456789ab")
RECORD = ScoredRecord("scores", 3, b"c1", b'{"any":[1, 2.50]}', MESSAGE)


def test_a_line_holds_the_records_own_bytes(tmp_path: Path) -> None:
    """A line tells stream, partition and key, and holds the value as it is, to the byte."""
    path = tmp_path / "out.jsonl"
    path.write_text("older")
    with record_lines(path) as lines:
        lines.write([RECORD])
        assert path.read_text() == "older"
    assert path.read_bytes() == b'{"stream":"scores","partition":3,"key":"c1","record":{"any":[1, 2.50]}}\n'
    assert json.loads(path.read_bytes())["record"] == {"any": [1, 2.5]}


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    """When the writing fails half way, neither the file nor a part of it is there."""

    def fail() -> None:
        with record_lines(tmp_path / "out.jsonl") as lines:
            lines.write([RECORD])
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The failure tells which file, and why."""
    with (
        pytest.raises(RecordFileError, match=r"none/out.jsonl cannot be written: No such file"),
        record_lines(tmp_path / "none" / "out.jsonl"),
    ):
        pass
    (tmp_path / "taken").mkdir()
    with pytest.raises(RecordFileError, match="taken cannot be written"), record_lines(tmp_path / "taken"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
