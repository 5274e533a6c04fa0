"""Sends the rows of one source to the portfolios they concern: the sending side of `risk.market.market_events`."""

import numpy as np
from numpy.typing import NDArray

from risk.chunk import Chunk
from risk.fold import Output
from risk.market.market_columns import MarketColumns
from risk.market.market_events import Block, Role, encode_block
from risk.partitioner import partitions_of

MAX_BLOCK_ROWS = 1024

BEHIND_RECORDS = 4_096
"""How many records without a row a source may take before those who wait learn that it is not at its end any more.

On a live stream every other chunk finds the next one waiting already, and most chunks of ticks have no row."""


class MarketRouting:
    """Cuts the rows of one source partition into blocks: positions for their portfolio's partition, the rest for all.

    `clock_ns` is the greatest event time that the source has shown; it goes into the owner's cut.

    >>> from risk.market.market_columns import curve_columns
    >>> nodes, one = [np.array([1.0])], np.array([0])
    >>> curves = curve_columns(one, np.array([70]), ["EUR"], np.array([60]), tenors_years=nodes, zero_percent=nodes)
    >>> chunk = Chunk.of("rates", 0, offsets=(7,), keys=(b"EUR",), values=(b"{}",), caught_up=True)
    >>> [output.partition for output in MarketRouting("rates", 0, 3).outputs(chunk, curves)]
    [0, 1, 2]
    """

    def __init__(self, role: Role, partition: int, partitions: int) -> None:
        self._role: Role = role
        self._partition = partition
        self._partitions = partitions
        self._told_caught_up: bool | None = None
        self._untold_records = 0
        self.clock_ns = -(2**63)

    def outputs(self, chunk: Chunk, rows: MarketColumns) -> list[Output]:
        """Return the blocks of a chunk's rows.

        Those who wait for a source must learn how far it has come, so it sends a block to every partition, be it an
        empty one, when it has reached its end, when it has fallen behind by more than a moment, and of every chunk with
        rows while it is behind. Without rows its clock stands still, and there is nothing to tell.
        """
        order_time_ns = np.maximum.accumulate(np.concatenate(([self.clock_ns], rows.event_time_ns)))[1:]
        if len(order_time_ns):
            self.clock_ns = int(order_time_ns[-1])
        to_all = self._has_news(chunk, len(rows))
        if self._role != "positions":
            values = self._values(chunk, rows, order_time_ns, np.arange(len(rows))) if len(rows) or to_all else []
            return [self._output(at, value) for at in range(self._partitions) for value in values]
        target = partitions_of(rows.key, self._partitions)
        outputs = []
        for at in range(self._partitions):
            chosen = np.flatnonzero(target == at)
            if len(chosen) or to_all:
                outputs += [self._output(at, value) for value in self._values(chunk, rows, order_time_ns, chosen)]
        return outputs

    def _has_news(self, chunk: Chunk, row_count: int) -> bool:
        """Return whether every partition must hear of this chunk."""
        if chunk.caught_up == self._told_caught_up:
            self._untold_records = 0
            return row_count > 0 and not chunk.caught_up
        self._untold_records += len(chunk)
        falls_behind = self._told_caught_up is True and not chunk.caught_up
        if falls_behind and row_count == 0 and self._untold_records < BEHIND_RECORDS:
            return False
        self._told_caught_up, self._untold_records = chunk.caught_up, 0
        return True

    def _output(self, partition: int, value: bytes) -> Output:
        return Output("market_events", partition, None, value, b"")

    def _values(
        self, chunk: Chunk, rows: MarketColumns, order_time_ns: NDArray[np.int64], chosen: NDArray[np.int64]
    ) -> list[bytes]:
        offsets = chunk.offsets[rows.index]
        firsts = np.cumsum(rows.counts) - rows.counts
        pieces = _pieces(chosen, offsets)
        values = []
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            numbers = [rows.numbers[firsts[row] : firsts[row] + rows.counts[row]] for row in piece.tolist()]
            block = Block(
                role=self._role,
                partition=self._partition,
                # Only the last piece may speak for the whole chunk.
                caught_up=chunk.caught_up and last,
                clock_ns=self.clock_ns if last else int(order_time_ns[piece[-1]]),
                offsets=offsets[piece].tobytes(),
                kinds=rows.kinds[piece].tobytes(),
                order_time_ns=order_time_ns[piece].tobytes(),
                event_time_ns=rows.event_time_ns[piece].tobytes(),
                end_ns=rows.end_ns[piece].tobytes(),
                counts=rows.counts[piece].tobytes(),
                numbers=b"".join(one.tobytes() for one in numbers),
                key=[rows.key[row] for row in piece.tolist()],
                name=[rows.name[row] for row in piece.tolist()],
            )
            values.append(encode_block(block))
        return values


def _pieces(chosen: NDArray[np.int64], offsets: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return rows in pieces of about MAX_BLOCK_ROWS, at least one; rows of one record stay together.

    What has been seen is told by its offset, so the rest of a record that was cut would be taken for a repeat.
    """
    pieces: list[NDArray[np.int64]] = []
    first = 0
    while first < len(chosen) or not pieces:
        end = min(first + MAX_BLOCK_ROWS, len(chosen))
        while 0 < end < len(chosen) and offsets[chosen[end]] == offsets[chosen[end - 1]]:
            end += 1
        pieces.append(chosen[first:end])
        first = end
    return pieces
