"""The files of the audit trail: whole or not there, and each alert in one of them alone.

A span is what lies between two commits of a partition. Its files, one a day, are first written beside the trail, in
`_pending`, and made durable. Then the group commits, and the commit names the span and its writer. Only then are they
moved into the trail. Who takes the partition over finds that name: what it names is moved if it was not yet, and
anything else of the partition that is pending was never committed, so it goes, and is read from Kafka again.
"""

import contextlib
import os
import re
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from stream.forward.alert_table import AlertRow, alert_table

PENDING = "_pending"
_PART = re.compile(r"part-(\d+)-(\d+)-(\d+)\.parquet")


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets of a partition, the last one included, and who wrote them.

    >>> Span.committed_as("100 5f3a", partition=2, end=150)
    Span(partition=2, first=100, last=149, writer='5f3a')
    """

    partition: int
    first: int
    last: int
    writer: str

    def commit_text(self) -> str:
        """Return what a commit of this span's end says of it."""
        return f"{self.first} {self.writer}"

    @classmethod
    def committed_as(cls, text: str, partition: int, end: int) -> "Span | None":
        """Return the span that a commit up to `end` speaks of; None where it speaks of none."""
        found = re.fullmatch(r"(\d+) ([0-9a-f]+)", text)
        return cls(partition, int(found[1]), end - 1, found[2]) if found else None

    @property
    def name(self) -> str:
        """The name of its file in the folder of a day."""
        return f"part-{self.partition:05d}-{self.first:012d}-{self.last:012d}.parquet"


class TrailFiles:
    """Writes to one folder; others may write to it too, of other partitions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pending = folder / PENDING
        self._writer = secrets.token_hex(8)
        self._pending.mkdir(parents=True, exist_ok=True)
        _make_durable(folder.parent)
        _make_durable(folder)

    def span(self, rows: Sequence[AlertRow], last: int) -> Span:
        """Return the span, by this writer, of some rows of a partition, which ends with the offset `last`."""
        return Span(rows[0].partition, rows[0].offset, last, self._writer)

    def stage(self, span: Span, rows: Sequence[AlertRow]) -> None:
        """Write a span's files, a day of event time each, and return once they would survive a loss of power."""
        days: dict[str, list[AlertRow]] = defaultdict(list)
        for row in rows:
            days[f"{datetime.fromtimestamp(row.alert.event_time_ns // 1_000_000_000, tz=UTC):%Y-%m-%d}"].append(row)
        for day, of_day in days.items():
            path = self._pending / f"{span.writer}.date={day}.{span.name}"
            pq.write_table(alert_table(of_day), path, compression="zstd")
            _make_durable(path)
        _make_durable(self._pending)

    def publish(self, span: Span) -> None:
        """Move a span's files into the trail, now that it is committed; what was moved already stays as it is."""
        changed = {self._folder, self._pending}
        for path in self._pending.glob(f"{span.writer}.*.{span.name}"):
            day = self._folder / path.name.split(".")[1]
            day.mkdir(exist_ok=True)
            # The one who took the partition over may have moved it, while this process was held up.
            with contextlib.suppress(FileNotFoundError):
                path.replace(day / span.name)
            changed.add(day)
        for folder in changed:
            _make_durable(folder)

    def discard(self, span: Span) -> None:
        """Remove a span's pending files, since it was not committed."""
        for path in self._pending.glob(f"{span.writer}.*.{span.name}"):
            path.unlink(missing_ok=True)

    def recover(self, partition: int, committed: Span | None) -> None:
        """Publish what of a partition is committed and still pending, and remove all else of it that is pending."""
        if committed is not None:
            self.publish(committed)
        for path in self._pending.glob(f"*.part-{partition:05d}-*.parquet"):
            path.unlink(missing_ok=True)

    def end(self, partition: int) -> int:
        """Return the offset behind the last one of a partition that is in the trail; 0 where there is none."""
        names = [path.name for path in self._folder.glob(f"date=*/part-{partition:05d}-*.parquet")]
        return max((int(found[3]) + 1 for name in names if (found := _PART.fullmatch(name))), default=0)


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
