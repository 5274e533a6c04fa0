"""Writes re-scored records to a file, one JSON object a line: whole or not at all."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from schemas.encoding import encode
from stream.scored_record import ScoredRecord, ScoredStream


class RecordLine(msgspec.Struct, frozen=True):
    """A line: the stream and partition of a record, its key, and its value as it would lie in the topic."""

    stream: ScoredStream
    partition: int
    key: str | None
    record: msgspec.Raw


class RecordLines:
    """An open file of records."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb")

    def write(self, records: Sequence[ScoredRecord]) -> None:
        """Append a line for each record."""
        for one in records:
            key = None if one.key is None else one.key.decode()
            self._file.write(encode(RecordLine(one.stream, one.partition, key, msgspec.Raw(one.value))) + b"\n")

    def close(self, *, durably: bool) -> None:
        """Close the file; `durably` waits until it is on the disk."""
        if durably:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()


@contextmanager
def record_lines(path: Path) -> Iterator[RecordLines]:
    """Give a file to write to, which has its name when the block ends well and leaves nothing when it does not.

    What had that name is replaced. Raises OSError when the file cannot be written.
    """
    descriptor, unfinished = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    lines = RecordLines(descriptor)
    try:
        yield lines
        lines.close(durably=True)
        Path(unfinished).chmod(0o644)  # mkstemp lets nobody else read
        Path(unfinished).replace(path)
    finally:
        lines.close(durably=False)
        Path(unfinished).unlink(missing_ok=True)
