"""The last row of each key, gathered as a compacted topic is read."""

import numpy as np

from risk.byte_slices import ABSENT, BytesColumn
from risk.growing_array import GrowingArray
from risk.key_table import KeyTable
from risk.stored_rows import StoredRows

LEAST_BYTES = 64 << 20


class LatestRows:
    """Rows by their keys, of which a later one replaces an earlier one, and None removes it.

    What was replaced is let go of whenever more has come than was left the last time: so memory is a few times what is
    kept, however long the log is.

    >>> latest = LatestRows()
    >>> latest.add(BytesColumn.of([b"a", b"b", b"a"]), BytesColumn.of([b"1", b"2", b"3"]))
    >>> latest.add(BytesColumn.of([b"b", b"c"]), BytesColumn.of([None, b"4"]))
    >>> list(latest.rows())
    [(b'a', b'3'), (b'c', b'4')]
    """

    def __init__(self, least_bytes: int = LEAST_BYTES) -> None:
        self._keys = KeyTable()
        self._last = GrowingArray(np.dtype(np.int64))
        self._parts: list[StoredRows] = []
        self._count = 0
        self._bytes, self._most_bytes, self._least_bytes = 0, least_bytes, least_bytes

    def add(self, keys: BytesColumn, rows: BytesColumn) -> None:
        """Take rows up in the order of the log."""
        numbers = self._keys.find(keys)
        self._last.reserve(len(self._keys))
        # Of a key that is there twice, the later place stays.
        self._last.array[numbers] = np.arange(self._count, self._count + len(keys))
        self._parts.append(StoredRows(keys, rows))
        self._count += len(keys)
        self._bytes += int(keys.lengths.sum() + rows.lengths.sum())
        if self._bytes > self._most_bytes:
            self._let_go()
            self._most_bytes = 2 * self._bytes + self._least_bytes

    def rows(self) -> StoredRows:
        """Return the rows that are there, in the order of the log."""
        self._let_go()
        if not self._parts:
            return StoredRows.of([])
        (kept,) = self._parts
        present = np.flatnonzero(kept.row.starts != ABSENT)
        return StoredRows(kept.key.take(present), kept.row.take(present))

    def _let_go(self) -> None:
        last = self._last.array[: len(self._keys)]
        order = np.argsort(last)
        places = last[order]
        bounds = np.cumsum([0, *map(len, self._parts)])
        kept = []
        for part, first, end in zip(self._parts, bounds.tolist(), bounds[1:].tolist(), strict=False):
            within = slice(np.searchsorted(places, first), np.searchsorted(places, end))
            mine = places[within] - first
            kept.append(StoredRows(part.key.take(mine).compact(), part.row.take(mine).compact()))
        if kept:
            self._parts = [StoredRows.joined(kept)]
        self._count = len(places)
        self._last.array[order] = np.arange(len(order))
        self._bytes = sum(len(part.key.data) + len(part.row.data) for part in self._parts)
