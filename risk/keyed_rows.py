"""State by key: a row of numbers for each key, with rings of events if asked for, and the form they are stored in.

Four things are kept apart: the key's row number, the row's numbers (which compiled loops update in place), which rows
changed since the last checkpoint, and the packed row, which is the same whenever the same events led to it.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from risk.event_rings import MAX_ENTRIES, EventRings

_ENTRY_BYTES = 24


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
        self._row_of: dict[str, int] = {}
        self._keys: list[str] = []
        self.table: npt.NDArray[np.void] = np.zeros(64, dtype=dtype)
        self._changed = np.zeros(64, dtype=np.bool_)
        self.rings = tuple(EventRings() for _ in range(rings))

    def __len__(self) -> int:
        return len(self._keys)

    def rows(self, keys: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the row number of each key, int64[n], making rows for new keys; the rows count as changed."""
        rows = self._find(keys)
        self._changed[rows] = True
        return rows

    def _find(self, keys: Sequence[str]) -> npt.NDArray[np.int64]:
        row_of = self._row_of
        try:
            return np.fromiter(map(row_of.__getitem__, keys), dtype=np.int64, count=len(keys))
        except KeyError:
            for key in keys:
                if key not in row_of:
                    row_of[key] = len(self._keys)
                    self._keys.append(key)
        count = len(self._keys)
        if count > len(self.table):
            size = 1 << (count - 1).bit_length()
            table = np.zeros(size, dtype=self.table.dtype)
            table[: len(self.table)] = self.table
            changed = np.zeros(size, dtype=np.bool_)
            changed[: len(self._changed)] = self._changed
            self.table, self._changed = table, changed
        for ring in self.rings:
            ring.grow_rows(count)
        return np.fromiter(map(row_of.__getitem__, keys), dtype=np.int64, count=len(keys))

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return (key, packed row) of the rows changed since the last call, which are then unchanged."""
        rows = np.flatnonzero(self._changed[: len(self)])
        self._changed[rows] = False
        return self._packed(rows)

    def dump(self) -> dict[bytes, bytes]:
        """Return every key's packed row: equal states give equal dumps."""
        return dict(sorted(self._packed(np.arange(len(self)))))

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows, in place of what their keys had; they count as unchanged.

        Raises ValueError for a row of another form.
        """
        pairs = list(rows)
        if not pairs:
            return
        fixed_size, width = self.table.dtype.itemsize, len(self.rings)
        header = fixed_size + 8 * width
        sizes = np.fromiter((len(row) for _, row in pairs), dtype=np.int64, count=len(pairs))
        if sizes.min() < header:
            raise ValueError(f"a packed row is shorter than {header} bytes: it was written by another version")
        lengths = np.frombuffer(b"".join(row[fixed_size:header] for _, row in pairs), dtype="<i8")
        lengths = lengths.reshape(len(pairs), width)
        if np.any((lengths < 0) | (lengths > MAX_ENTRIES)) or np.any(
            sizes != header + _ENTRY_BYTES * lengths.sum(axis=1)
        ):
            raise ValueError("a packed row is longer or shorter than it says: it was written by another version")
        at = self._find([key.decode() for key, _ in pairs])
        self.table[at] = np.frombuffer(b"".join(row[:fixed_size] for _, row in pairs), dtype=self.table.dtype)
        if width:
            entries = np.frombuffer(b"".join(row[header:] for _, row in pairs), dtype="<i8").reshape(-1, 3)
            # Rows lie one after another, and in each row its rings do.
            flat = lengths.reshape(-1)
            ends = np.cumsum(flat)
            for number, ring in enumerate(self.rings):
                mine = np.arange(number, len(flat), width)
                pieces = [entries[ends[i] - flat[i] : ends[i]] for i in mine.tolist()] if width > 1 else [entries]
                ring.put(at, lengths[:, number], np.concatenate(pieces))
        self._changed[at] = False

    def _packed(self, rows: npt.NDArray[np.int64]) -> list[tuple[bytes, bytes]]:
        keys = [self._keys[row].encode() for row in rows.tolist()]
        size = self.table.dtype.itemsize
        fixed = self.table[rows].tobytes()
        parts = [[fixed[at : at + size]] for at in range(0, len(fixed), size)]
        for ring in self.rings:
            for part, length in zip(parts, ring.lengths(rows).astype("<i8"), strict=True):
                part.append(length.tobytes())
        for ring in self.rings:
            entries = ring.entries(rows).tobytes()
            ends = (_ENTRY_BYTES * np.cumsum(ring.lengths(rows))).tolist()
            for part, start, end in zip(parts, [0, *ends], ends, strict=False):
                part.append(entries[start:end])
        return [(key, b"".join(part)) for key, part in zip(keys, parts, strict=True)]
