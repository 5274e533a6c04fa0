"""A chunk: consecutive records of one partition, as they lie in the log."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one topic partition, in offset order; the unit that a fold advances by.

    `timestamps_ms` are the records' own, in milliseconds since the Unix epoch, -1 for one that has none; an empty tuple
    where nobody knows them. `caught_up` tells that the log held nothing after this chunk when it was read. A chunk may
    be empty, to say only that.

    >>> Chunk("transactions", 0, offsets=(7,), keys=(b"c1",), values=(b"{}",), caught_up=True).next_offset
    8
    """

    topic: str
    partition: int
    offsets: tuple[int, ...]
    keys: tuple[bytes | None, ...]
    values: tuple[bytes | None, ...]
    caught_up: bool
    timestamps_ms: tuple[int, ...] = ()

    @property
    def next_offset(self) -> int:
        """The offset after the last record; raises IndexError for an empty chunk."""
        return self.offsets[-1] + 1

    def after(self, offset: int) -> "Chunk":
        """Return the records at offsets greater than `offset`: what a state that contains `offset` has yet to see.

        >>> chunk = Chunk("t", 0, (3, 4), (None, None), (b"a", b"b"), caught_up=False)
        >>> chunk.after(3).values
        (b'b',)
        """
        if not self.offsets or self.offsets[0] > offset:
            return self
        return self.where([at for at, one in enumerate(self.offsets) if one > offset])

    def where(self, chosen: Sequence[int]) -> "Chunk":
        """Return some of the records, by their index.

        >>> chunk = Chunk("t", 0, (3, 4), (None, None), (b"a", b"b"), caught_up=False)
        >>> chunk.where([1]).offsets
        (4,)
        """
        if len(chosen) == len(self.offsets):
            return self
        return replace(
            self,
            offsets=tuple(self.offsets[at] for at in chosen),
            keys=tuple(self.keys[at] for at in chosen),
            values=tuple(self.values[at] for at in chosen),
            timestamps_ms=tuple(self.timestamps_ms[at] for at in chosen) if self.timestamps_ms else (),
        )
