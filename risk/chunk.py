"""A chunk: consecutive records of one partition, as they lie in the log, in columns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from risk.byte_slices import BytesColumn


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Records of one topic partition, in offset order; the unit that a fold advances by.

    `offsets` int64[n]; `keys` and `values` are each record's bytes, or None. `timestamps_ms` int64[n] are the records'
    own, in milliseconds since the Unix epoch, -1 for one that has none; int64[0] where nobody knows them. `caught_up`
    tells that the log held nothing after this chunk when it was read. A chunk may be empty, to say only that.
    """

    topic: str
    partition: int
    offsets: NDArray[np.int64]
    keys: BytesColumn
    values: BytesColumn
    caught_up: bool
    timestamps_ms: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        topic: str,
        partition: int,
        offsets: Sequence[int] | NDArray[np.int64],
        keys: Sequence[bytes | None],
        values: Sequence[bytes | None],
        caught_up: bool,
        timestamps_ms: Sequence[int] = (),
    ) -> "Chunk":
        """Return a chunk of records that are Python's objects.

        >>> chunk = Chunk.of("transactions", 0, offsets=(7,), keys=(b"c1",), values=(b"{}",), caught_up=True)
        >>> len(chunk), chunk.first_offset, chunk.values[0]
        (1, 7, b'{}')
        """
        return cls(
            topic,
            partition,
            np.array(offsets, dtype=np.int64),
            BytesColumn.of(keys),
            BytesColumn.of(values),
            caught_up,
            np.array(timestamps_ms, dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.offsets)

    @property
    def first_offset(self) -> int:
        """The offset of the first record; raises IndexError for an empty chunk."""
        return int(self.offsets[0])

    @property
    def last_offset(self) -> int:
        """The offset of the last record; raises IndexError for an empty chunk."""
        return int(self.offsets[-1])

    @property
    def timestamp_ms(self) -> int:
        """When the last record was written, in milliseconds since the Unix epoch; 0 if nobody knows."""
        return max(0, int(self.timestamps_ms[-1])) if len(self.timestamps_ms) else 0

    def after(self, offset: int) -> "Chunk":
        """Return the records at offsets greater than `offset`: what a state that contains `offset` has yet to see.

        >>> chunk = Chunk.of("t", 0, (3, 4), (None, None), (b"a", b"b"), caught_up=False)
        >>> list(chunk.after(3).values)
        [b'b']
        """
        if not len(self) or self.first_offset > offset:
            return self
        return self.where(np.flatnonzero(self.offsets > offset))

    def where(self, chosen: Sequence[int] | NDArray[np.int64]) -> "Chunk":
        """Return some of the records, by their index.

        >>> chunk = Chunk.of("t", 0, (3, 4), (None, None), (b"a", b"b"), caught_up=False)
        >>> chunk.where([1]).offsets.tolist()
        [4]
        """
        if len(chosen) == len(self):
            return self
        rows = np.asarray(chosen, dtype=np.int64)
        return replace(
            self,
            offsets=self.offsets[rows],
            keys=self.keys.take(rows),
            values=self.values.take(rows),
            timestamps_ms=self.timestamps_ms[rows] if len(self.timestamps_ms) else self.timestamps_ms,
        )
