"""Rows as they are stored: keys and packed rows in columns, on their way between a state and a changelog."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import overload

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.byte_slices import BytesColumn, read_only


@njit(cache=True)
def _prefixed(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    prefix: NDArray[np.uint8],
    prefixed: NDArray[np.uint8],
) -> None:
    to = 0
    for row in range(starts.shape[0]):
        for place in range(prefix.shape[0]):
            prefixed[to] = prefix[place]
            to += 1
        for place in range(starts[row], ends[row]):
            prefixed[to] = data[place]
            to += 1


@njit(cache=True)
def _starting_with(
    data: NDArray[np.uint8],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    prefix: NDArray[np.uint8],
    with_it: NDArray[np.bool_],
) -> None:
    for row in range(starts.shape[0]):
        with_it[row] = ends[row] - starts[row] >= prefix.shape[0]
        for place in range(prefix.shape[0]):
            with_it[row] = with_it[row] and data[starts[row] + place] == prefix[place]


@dataclass(frozen=True, slots=True, eq=False)
class StoredRows(Sequence[tuple[bytes, bytes]]):
    """Packed rows by their keys.

    >>> rows = StoredRows.of([(b"ann", b"1"), (b"bob", b"2")])
    >>> list(StoredRows.joined([rows.prefixed(b"m"), StoredRows.of([(b"n", b"3")])]))
    [(b'mann', b'1'), (b'mbob', b'2'), (b'n', b'3')]
    """

    key: BytesColumn
    row: BytesColumn

    @classmethod
    def of(cls, pairs: Iterable[tuple[bytes, bytes]]) -> "StoredRows":
        """Return (key, row) pairs as columns, which they may be already."""
        if isinstance(pairs, StoredRows):
            return pairs
        pairs = list(pairs)
        return cls(BytesColumn.of([key for key, _ in pairs]), BytesColumn.of([row for _, row in pairs]))

    @classmethod
    def joined(cls, parts: Sequence["StoredRows"]) -> "StoredRows":
        """Return the rows of all parts, one part after another; a part that is alone is not copied."""
        with_rows = [part for part in parts if len(part)]
        if len(with_rows) == 1:
            return with_rows[0]
        return cls(_concatenated([part.key for part in parts]), _concatenated([part.row for part in parts]))

    def prefixed(self, prefix: bytes) -> "StoredRows":
        """Return the rows with a prefix before each key."""
        lengths = self.key.lengths + len(prefix)
        data = np.empty(int(lengths.sum()), dtype=np.uint8)
        _prefixed(read_only(self.key.data), self.key.starts, self.key.ends, np.frombuffer(prefix, dtype=np.uint8), data)
        ends = np.cumsum(lengths)
        return StoredRows(BytesColumn(data, ends - lengths, ends), self.row)

    def starting_with(self, prefix: bytes) -> "StoredRows":
        """Return the rows whose keys have a prefix, without it.

        >>> list(StoredRows.of([(b"mann", b"1"), (b"n", b"3")]).starting_with(b"m"))
        [(b'ann', b'1')]
        """
        with_it = np.empty(len(self), dtype=np.bool_)
        _starting_with(
            read_only(self.key.data),
            self.key.starts,
            self.key.ends,
            np.frombuffer(prefix, dtype=np.uint8),
            with_it,
        )
        at = np.flatnonzero(with_it)
        keys = BytesColumn(self.key.data, self.key.starts[at] + len(prefix), self.key.ends[at])
        return StoredRows(keys, self.row.take(at))

    def __len__(self) -> int:
        return len(self.key)

    @overload
    def __getitem__(self, at: int) -> tuple[bytes, bytes]: ...
    @overload
    def __getitem__(self, at: slice) -> "StoredRows": ...
    def __getitem__(self, at: int | slice) -> "tuple[bytes, bytes] | StoredRows":
        if isinstance(at, slice):
            return StoredRows(self.key[at], self.row[at])
        return self.key[at] or b"", self.row[at] or b""

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return ((key or b"", row or b"") for key, row in zip(self.key, self.row, strict=True))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def _concatenated(columns: Sequence[BytesColumn]) -> BytesColumn:
    data = np.concatenate([column.data for column in columns])
    shifts = accumulate((len(column.data) for column in columns[:-1]), initial=0)
    moved = [column.moved(data, shift) for column, shift in zip(columns, shifts, strict=True)]
    return BytesColumn(
        data, np.concatenate([column.starts for column in moved]), np.concatenate([column.ends for column in moved])
    )
