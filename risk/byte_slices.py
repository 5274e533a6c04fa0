"""Byte strings and texts as columns: slices of one buffer, none of which is an object before somebody asks for it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self, cast, overload

import numpy as np
from numba import njit
from numpy.typing import NDArray

ABSENT = -1
"""The start of a byte string that is not there, which is not an empty one."""


def read_only(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the bytes as what cannot be written to, as those of Python's `bytes` are.

    For compiled loops the two are of different types, and a loop that is given the other one compiles anew.
    """
    if not data.flags.writeable:
        return data
    view = data.view()
    view.flags.writeable = False
    return view


@njit(cache=True)
def _gather(
    data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64], gathered: NDArray[np.uint8]
) -> None:
    at = 0
    for row in range(starts.shape[0]):
        for place in range(starts[row], ends[row]):
            gathered[at] = data[place]
            at += 1


@dataclass(frozen=True, slots=True, eq=False)
class ByteSlices:
    """Slices of `data` uint8[bytes]: slice i is `data[starts[i]:ends[i]]`, int64[n] each.

    Slices may lie in any order, overlap, and leave bytes out.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many bytes each has, int64[n]."""
        return self.ends - self.starts

    def take(self, rows: NDArray[np.int64]) -> Self:
        """Return some of the rows, which may be repeated; the bytes stay where they are."""
        return type(self)(self.data, self.starts[rows], self.ends[rows])

    def compact(self) -> Self:
        """Return the column with bytes of its own, which are those of its slices and no others."""
        ends = np.cumsum(self.lengths)
        starts = ends - self.lengths
        absent = self.starts == ABSENT
        starts[absent] = ends[absent] = ABSENT
        return type(self)(np.frombuffer(self.joined(), dtype=np.uint8), starts, ends)

    def joined(self) -> bytes:
        """Return the bytes of all slices, one after another."""
        gathered = np.empty(int(self.lengths.sum()), dtype=np.uint8)
        _gather(read_only(self.data), self.starts, self.ends, gathered)
        return gathered.tobytes()


def cut(joined: bytes, ends: NDArray[np.int64]) -> list[bytes]:
    """Return the byte strings that lie one after another in `joined`, and end at `ends` int64[n].

    >>> cut(b"abc", np.array([2, 2, 3]))
    [b'ab', b'', b'c']
    """
    bounds = ends.tolist()
    return [joined[start:end] for start, end in zip([0, *bounds], bounds, strict=False)]


def _bounds_of(lengths: Iterable[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where slices of some lengths start and end, one after another."""
    bounds = np.fromiter(accumulate(lengths, initial=0), dtype=np.int64)
    return bounds[:-1], bounds[1:]


class BytesColumn(ByteSlices, Sequence[bytes | None]):
    """Byte strings; one whose start is ABSENT, and its end too, is None.

    >>> column = BytesColumn.of([b"ab", None, b""])
    >>> list(column), list(column.take(np.array([2, 0])))
    ([b'ab', None, b''], [b'', b'ab'])
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(cls, items: Sequence[bytes | None]) -> "BytesColumn":
        """Return the items as a column, which they may be already."""
        if type(items) is BytesColumn:  # an abstract class asks about instances for longer than a text takes
            return items
        there = [item or b"" for item in items] if None in items else cast(Sequence[bytes], items)
        starts, ends = _bounds_of(map(len, there))
        if there is not items:
            absent = [at for at, item in enumerate(items) if item is None]
            # Both are views of the same bounds.
            starts, ends = starts.copy(), ends.copy()
            starts[absent] = ends[absent] = ABSENT
        return cls(np.frombuffer(b"".join(there), dtype=np.uint8), starts, ends)

    def trimmed(self) -> "BytesColumn":
        """Return the column without the bytes before its first slice and behind its last; none are copied."""
        start = int(self.starts[self.starts != ABSENT].min(initial=len(self.data)))
        return self.moved(self.data[start : self.ends.max(initial=0)], -start)

    def moved(self, data: NDArray[np.uint8], by: int) -> "BytesColumn":
        """Return the column over other bytes, in which all that is there lies so much further on.

        >>> column = BytesColumn.of([b"b", None]).moved(np.frombuffer(b"ab", dtype=np.uint8), 1)
        >>> list(column)
        [b'b', None]
        """
        shift = by * (self.starts != ABSENT)
        return BytesColumn(data, self.starts + shift, self.ends + shift)

    @overload
    def __getitem__(self, row: int) -> bytes | None: ...
    @overload
    def __getitem__(self, row: slice) -> "BytesColumn": ...
    def __getitem__(self, row: int | slice) -> "bytes | BytesColumn | None":
        if isinstance(row, slice):
            return BytesColumn(self.data, self.starts[row], self.ends[row])
        start = self.starts[row]
        return None if start == ABSENT else self.data[start : self.ends[row]].tobytes()

    def __iter__(self) -> Iterator[bytes | None]:
        view = self.data.data
        for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True):
            yield None if start == ABSENT else bytes(view[start:end])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


class TextColumn(ByteSlices, Sequence[str]):
    """Texts, as UTF-8.

    >>> column = TextColumn.of(["ann", "bob"])
    >>> column[1], column.take(np.array([1, 1, 0])) == ["bob", "bob", "ann"], column.joined()
    ('bob', True, b'annbob')
    """

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "TextColumn":
        """Return the texts as a column, which they may be already."""
        if type(texts) is TextColumn:
            return texts
        joined = "".join(texts)
        encoded = joined.encode()
        # As many bytes as characters: each is one.
        lengths = map(len, texts if len(encoded) == len(joined) else [text.encode() for text in texts])
        return cls(np.frombuffer(encoded, dtype=np.uint8), *_bounds_of(lengths))

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> "TextColumn": ...
    def __getitem__(self, row: int | slice) -> "str | TextColumn":
        if isinstance(row, slice):
            return TextColumn(self.data, self.starts[row], self.ends[row])
        return self.data[self.starts[row] : self.ends[row]].tobytes().decode()

    def __iter__(self) -> Iterator[str]:
        for text in cut(self.joined(), np.cumsum(self.lengths)):
            yield text.decode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)
