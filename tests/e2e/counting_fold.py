"""The smallest fold with state and outputs: it counts records by key, and alerts each tenth of a key."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from risk.chunk import Chunk
from risk.fold import Emitted, Output


class CountingFold:
    """Counts; see `risk.fold.Fold`."""

    state_version = "counting-1"

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.counts: Counter[bytes] = Counter()
        self.offset = -1
        self._changed: set[bytes] = set()

    def __len__(self) -> int:
        return len(self.counts)

    def advance(self, chunk: Chunk) -> Emitted:
        """Count a chunk."""
        emitted = Emitted()
        chunk = chunk.after(self.offset)
        for offset, key in zip(chunk.offsets.tolist(), chunk.keys, strict=True):
            assert key is not None
            self.counts[key] += 1
            self._changed.add(key)
            self.offset = offset
            if self.counts[key] % 10 == 0:
                identity = b"%s-%d" % (key, self.counts[key])
                emitted.outputs.append(Output("alerts", self.partition, key, identity, identity))
        emitted.counts["scored"] = len(chunk)
        return emitted

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the counts changed since the last call."""
        rows = [(key, b"%d" % self.counts[key]) for key in sorted(self._changed)]
        self._changed.clear()
        return rows

    def cut(self) -> bytes:
        """Return the last offset contained."""
        return msgspec.msgpack.encode(self.offset)

    def last_offset(self) -> int:
        """Return the last offset contained."""
        return self.offset

    def read_on_offset(self) -> int:
        """Return the offset after it."""
        return self.offset + 1

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and its counts."""
        self.offset = msgspec.msgpack.decode(cut, type=int)
        self.counts = Counter({key: int(row) for key, row in rows})
