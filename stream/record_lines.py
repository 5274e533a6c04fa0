"""Writes re-scored records to a file, one JSON object a line: whole or not at all."""

import contextlib
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


class RecordFileError(RuntimeError):
    """The file cannot be written; the message names it and tells why."""


class RecordLines:
    """An open file of records, which has a name of its own until it is finished; each step raises RecordFileError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._telling():
            descriptor, self._unfinished = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        self._file = os.fdopen(descriptor, "wb")

    def write(self, records: Sequence[ScoredRecord]) -> None:
        """Append a line for each record."""
        with self._telling():
            for one in records:
                key = None if one.key is None else one.key.decode()
                self._file.write(encode(RecordLine(one.stream, one.partition, key, msgspec.Raw(one.value))) + b"\n")

    def finish(self) -> None:
        """Give the file its name when all of it is on the disk, in place of what had that name."""
        with self._telling():
            self._file.flush()
            os.fsync(self._file.fileno())
            os.fchmod(self._file.fileno(), 0o644)  # mkstemp lets nobody else read
            Path(self._unfinished).replace(self._path)

    def close(self) -> None:
        """Close the file, and remove it if it was not finished."""
        with contextlib.suppress(OSError):  # what a full disk did not take goes with it
            self._file.close()
        Path(self._unfinished).unlink(missing_ok=True)

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RecordFileError(f"{self._path} cannot be written: {error.strerror or error}") from error


@contextmanager
def record_lines(path: Path) -> Iterator[RecordLines]:
    """Give a file to write to, which has its name when the block ends well and leaves nothing when it does not."""
    lines = RecordLines(path)
    try:
        yield lines
        lines.finish()
    finally:
        lines.close()
