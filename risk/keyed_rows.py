"""State by key: a row of numbers for each key, with rings of events if asked for, and the form they are stored in.

Four things are kept apart: the key's row number, the row's numbers (which compiled loops update in place), which rows
changed since the last checkpoint, and the packed row, which is the same whenever the same events led to it.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from risk.array_loop import array_loop
from risk.byte_slices import BytesColumn, TextColumn, read_only
from risk.byte_words import put_word, word_at
from risk.event_rings import ENTRY_BYTES, MAX_ENTRIES, EventRings
from risk.growing_array import GrowingArray
from risk.key_table import KeyTable
from risk.stored_rows import StoredRows

_LOADED_AT_ONCE = 10_000


@array_loop
def _write_rows(
    table: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], at: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]
) -> None:
    for i in range(rows.shape[0]):
        for byte in range(table.shape[1]):
            data[at[i] + byte] = table[rows[i], byte]


@array_loop
def _read_rows(
    table: npt.NDArray[np.uint8], rows: npt.NDArray[np.int64], at: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]
) -> None:
    for i in range(rows.shape[0]):
        for byte in range(table.shape[1]):
            table[rows[i], byte] = data[at[i] + byte]


@array_loop
def _write_lengths(lengths: npt.NDArray[np.int64], at: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> None:
    for i in range(lengths.shape[0]):
        for ring in range(lengths.shape[1]):
            put_word(data, np.uint64(at[i] + 8 * ring), np.uint64(lengths[i, ring]))


@array_loop
def _read_lengths(lengths: npt.NDArray[np.int64], at: npt.NDArray[np.int64], data: npt.NDArray[np.uint8]) -> None:
    for i in range(lengths.shape[0]):
        for ring in range(lengths.shape[1]):
            lengths[i, ring] = np.int64(word_at(data, np.uint64(at[i] + 8 * ring)))


class KeyedRows:
    r"""Rows of a numpy structured `dtype`, one for each key, zero at first, and `rings` rings of events beside each.

    >>> rows = KeyedRows(np.dtype([("count", "<i8")]))
    >>> at = rows.rows(["a", "b", "a"])
    >>> at.tolist()
    [0, 1, 0]
    >>> rows.table["count"][at[0]] = 7
    >>> rows.take_changed()[0]
    (b'a', b'\x07\x00\x00\x00\x00\x00\x00\x00')
    """

    def __init__(self, dtype: np.dtype[np.void], rings: int = 0) -> None:
        self._keys = KeyTable()
        self._table = GrowingArray(dtype)
        self._changed = GrowingArray(np.dtype(np.bool_))
        self.rings = tuple(EventRings() for _ in range(rings))

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def table(self) -> npt.NDArray[np.void]:
        """The rows' numbers, as they are now; `rows` may make another table."""
        return self._table.array

    def rows(self, keys: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the row number of each key, int64[n], making rows for new keys; the rows count as changed."""
        rows = self._find(TextColumn.of(keys))
        self._changed.array[rows] = True
        return rows

    def _find(self, keys: TextColumn | BytesColumn) -> npt.NDArray[np.int64]:
        before = len(self._keys)
        rows = self._keys.find(keys)
        count = len(self._keys)
        if count > before:
            self._table.reserve(count)
            self._changed.reserve(count)
            for ring in self.rings:
                ring.grow_rows(count)
        return rows

    def take_changed(self) -> StoredRows:
        """Return (key, packed row) of the rows changed since the last call, which are then unchanged."""
        rows = np.flatnonzero(self._changed.array[: len(self)])
        self._changed.array[rows] = False
        return self._packed(rows)

    def dump(self) -> dict[bytes, bytes]:
        """Return every key's packed row: equal states give equal dumps."""
        return dict(sorted(self._packed(np.arange(len(self)))))

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows, in place of what their keys had; they count as unchanged.

        Raises ValueError for a row of another form.
        """
        stored = StoredRows.of(rows)
        # Bit by bit, so that a million rows may be taken up beside other work.
        for first in range(0, len(stored), _LOADED_AT_ONCE):
            self._load(stored[first : first + _LOADED_AT_ONCE])

    def _load(self, stored: StoredRows) -> None:
        keys, packed, data = stored.key, stored.row, read_only(stored.row.data)
        width = len(self.rings)
        fixed_size = self.table.dtype.itemsize
        header = fixed_size + 8 * width
        sizes = packed.lengths
        if sizes.min() < header:
            raise ValueError(f"a packed row is shorter than {header} bytes: it was written by another version")
        lengths = np.empty((len(stored), width), dtype=np.int64)
        _read_lengths(lengths, packed.starts + fixed_size, data)
        if np.any((lengths < 0) | (lengths > MAX_ENTRIES)) or np.any(
            sizes != header + ENTRY_BYTES * lengths.sum(axis=1)
        ):
            raise ValueError("a packed row is longer or shorter than it says: it was written by another version")
        numbers = self._find(keys)
        _read_rows(self._table_bytes(), numbers, packed.starts, data)
        at = packed.starts + header
        for number, ring in enumerate(self.rings):
            mine = np.ascontiguousarray(lengths[:, number])
            ring.read(numbers, mine, at, data)
            at += ENTRY_BYTES * mine
        self._changed.array[numbers] = False

    def _table_bytes(self) -> npt.NDArray[np.uint8]:
        return self.table.view(np.uint8).reshape(len(self.table), -1)

    def _packed(self, rows: npt.NDArray[np.int64]) -> StoredRows:
        fixed_size = self.table.dtype.itemsize
        lengths = np.empty((len(rows), len(self.rings)), dtype=np.int64)
        for number, ring in enumerate(self.rings):
            lengths[:, number] = ring.lengths(rows)
        header = fixed_size + 8 * len(self.rings)
        ends = np.cumsum(header + ENTRY_BYTES * lengths.sum(axis=1))
        data = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
        starts = np.concatenate(([0], ends))[:-1]
        _write_rows(self._table_bytes(), rows, starts, data)
        _write_lengths(lengths, starts + fixed_size, data)
        at = starts + header
        for number, ring in enumerate(self.rings):
            ring.write(rows, at, data)
            at += ENTRY_BYTES * lengths[:, number]
        return StoredRows(self._keys.keys(rows), BytesColumn(read_only(data), starts, ends))
