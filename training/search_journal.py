"""The journal of a search: every finished evaluation, so that one that was broken off goes on where it ended."""

import os
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from training.history import History
from training.library_versions import library_versions
from training.table import Table


class JournalError(ValueError):
    """A journal that cannot be gone on with; the message names the file, the line and the remedy."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One evaluation: the plan and the share of the rows as texts, and the measure of each fold."""

    plan: str
    share: str
    folds: Annotated[tuple[float, ...], msgspec.Meta(min_length=1)]


def journal_path(folder: Path, recipe: object, content: Iterable[bytes]) -> Path:
    """Return the file of a recipe's search in a folder: `search-`, 12 hex digits and `.jsonl`.

    The digits are of the SHA-256 of all that an evaluation depends on: recipe, content of what is learnt from and
    releases of the libraries.
    """
    # repr, for JSON knows no infinity, which a penalty may be.
    hashed = sha256(repr((recipe, sorted(library_versions().items()))).encode())
    for part in content:
        hashed.update(part)
    return folder / f"search-{hashed.hexdigest()[:12]}.jsonl"


def table_bytes(table: Table) -> Iterator[bytes]:
    """Yield the content of a table."""
    for name, values in table.columns.items():
        yield msgspec.json.encode([name, isinstance(values, np.ndarray), len(values)])
        yield values.tobytes() if isinstance(values, np.ndarray) else msgspec.json.encode(values)


def history_bytes(history: History) -> Iterator[bytes]:
    """Yield the content of a history."""
    for ids in (history.transaction_id, history.customer_id, history.merchant_id):
        yield ids.lengths.tobytes()
        yield ids.joined()
    for values in (history.amount, history.event_time_ns, history.fraud, history.label_time_ns):
        yield values.tobytes()


class Journal:
    """The evaluations in a file, to which each further one is appended, and is durable before `add` returns.

    A last line that was torn is cut off. Raises JournalError for any other line that is no evaluation, and OSError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[tuple[str, str], tuple[float, ...]] = {}
        content = path.read_bytes() if path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.DecodeError as error:
                raise JournalError(f"{path}, line {number}: is no evaluation: {error}; delete the file") from None
            self._found[entry.plan, entry.share] = entry.folds
        if len(whole) < len(content):
            os.truncate(path, len(whole))

    def get(self, plan: str, share: str) -> tuple[float, ...] | None:
        """Return the measure of each fold, or None for what has not been evaluated."""
        return self._found.get((plan, share))

    def add(self, plan: str, share: str, folds: Sequence[float]) -> None:
        """Append an evaluation."""
        self._found[plan, share] = tuple(folds)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(Entry(plan, share, tuple(folds))) + b"\n")
            file.flush()
            os.fsync(file.fileno())
