"""The messages that the blocks of a second hop carry, row by row."""

from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from risk.byte_slices import BytesColumn
from risk.chunk import Chunk
from risk.merchant_events import int64_column
from schemas.source import Source


class RowBlock(Protocol):
    """Rows of one source, a partition of the stream that a role names; `offsets` are int64[n], or their bytes."""

    @property
    def role(self) -> str:
        """The stream."""

    @property
    def partition(self) -> int:
        """The partition of its topic."""

    @property
    def offsets(self) -> bytes | NDArray[np.int64]:
        """Where each row's message lies in it."""

    def __len__(self) -> int:
        """Return how many rows there are."""


BlockT = TypeVar("BlockT", bound=RowBlock)


class BlockRows(Generic[BlockT]):
    """Each row of a block is a message of its own source; see `risk.isolation.Parts`.

    `topics` names the topic that each role's messages lie in; `where` gives a block with some of its rows.

    >>> from collections import namedtuple
    >>> class Offsets(namedtuple("Offsets", "role partition offsets")):
    ...     def __len__(self):
    ...         return len(self.offsets) // 8
    >>> def decode(value):
    ...     return Offsets("labels", 3, value)
    >>> rows = BlockRows({"labels": "eu.labels"}, decode, lambda block: block.offsets, lambda block, kept: block)
    >>> offsets = (5).to_bytes(8, "little") + (9).to_bytes(8, "little")
    >>> found = rows.of(Chunk.of("merchant-events", 0, offsets=(0,), keys=(None,), values=(offsets,), caught_up=True))
    >>> [(source.topic, source.partition, source.offset) for source in found]
    [('eu.labels', 3, 5), ('eu.labels', 3, 9)]
    """

    def __init__(
        self,
        topics: Mapping[str, str],
        decode: Callable[[bytes], BlockT],
        encode: Callable[[BlockT], bytes],
        where: Callable[[BlockT, list[int]], BlockT],
    ) -> None:
        self._topics = topics
        self._decode, self._encode, self._where = decode, encode, where

    def of(self, chunk: Chunk) -> list[Source]:
        """Return where the rows' messages lie."""
        return [source for block in self._blocks(chunk) for source in self._sources(block)]

    def without(self, chunk: Chunk, excluded: Set[Source]) -> Chunk:
        """Return the chunk with blocks that lack some rows; what they tell of their source stays."""
        if not excluded:
            return chunk
        values = []
        for value, block in zip(chunk.values, self._blocks(chunk), strict=True):
            kept = [at for at, source in enumerate(self._sources(block)) if source not in excluded]
            values.append(value if len(kept) == len(block) else self._encode(self._where(block, kept)))
        return replace(chunk, values=BytesColumn.of(values))

    def _blocks(self, chunk: Chunk) -> list[BlockT]:
        return [self._decode(value) for value in chunk.values if value is not None]

    def _sources(self, block: BlockT) -> list[Source]:
        topic = self._topics[block.role]
        return [
            Source(topic=topic, partition=block.partition, offset=offset)
            for offset in int64_column(block.offsets).tolist()
        ]
