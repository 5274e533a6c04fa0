"""What every fold of a first hop keeps of its source: how far it has read, and how far its clock has come."""

from typing import Protocol

import msgspec

from risk.chunk import Chunk


class SourceCut(msgspec.Struct, frozen=True):
    """What a first-hop state contains: source records up to `offset`, event times up to `clock_ns`."""

    offset: int
    clock_ns: int


class Clock(Protocol):
    """What sends rows on, and knows the greatest event time that the source has shown."""

    clock_ns: int


class FirstHop:
    """A fold whose source is one partition; it makes its `_routing`, and has `advance` and its rows of its own.

    >>> from types import SimpleNamespace
    >>> class Nothing(FirstHop):
    ...     def __init__(self) -> None:
    ...         self._routing = SimpleNamespace(clock_ns=0)
    ...     def advance(self, chunk):
    ...         self._note(self._unread(chunk))
    >>> first, second = Nothing(), Nothing()
    >>> first.advance(Chunk.of("labels", 0, offsets=(4, 7), keys=(None, None), values=(b"", b""), caught_up=True))
    >>> second._restore_source(first.cut())
    >>> second.last_offset(), second.read_on_offset()
    (7, 8)
    """

    _routing: Clock
    _offset = -1

    def _unread(self, chunk: Chunk) -> Chunk:
        """Return what of a chunk the state does not contain yet."""
        return chunk.after(self._offset)

    def _note(self, chunk: Chunk) -> None:
        """Note that the state contains the chunk."""
        if len(chunk):
            self._offset = chunk.last_offset

    def cut(self) -> bytes:
        """Return the source offset and the clock that the state contains."""
        return msgspec.msgpack.encode(SourceCut(self._offset, self._routing.clock_ns))

    def last_offset(self) -> int:
        """Return the offset of the last record taken."""
        return self._offset

    def read_on_offset(self) -> int:
        """Return the offset after the last record taken."""
        return self._offset + 1

    def _restore_source(self, cut: bytes) -> None:
        """Take up the source offset and the clock of a cut."""
        source = msgspec.msgpack.decode(cut, type=SourceCut)
        self._offset, self._routing.clock_ns = source.offset, source.clock_ns
