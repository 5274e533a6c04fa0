"""Velocity-v1 as a fold, so that the whole shell carries it: chunks, outbox, checkpoints, metrics."""

from collections.abc import Iterable

import msgspec
import numpy as np

from benchmarks.velocity_job import assemble
from risk.chunk import Chunk
from risk.dead_letters import dead_letter_output
from risk.decayed_moments import DecayedMoments
from risk.decode import decode_transactions
from risk.fold import Emitted, Output
from risk.scorer import Scorer
from risk.stored_rows import StoredRows


class VelocityFold:
    """One partition of the job; see `risk.fold.Fold`."""

    state_version = "velocity-1"

    def __init__(self, partition: int, scorer: Scorer, threshold: float) -> None:
        self._partition = partition
        self._scorer = scorer
        self._threshold = threshold
        self._moments = DecayedMoments()
        self._offset = -1

    def __len__(self) -> int:
        return len(self._moments)

    def advance(self, chunk: Chunk) -> Emitted:
        """Score a chunk; emit its alerts."""
        chunk = chunk.after(self._offset)
        columns, rejections = decode_transactions(chunk.keys, chunk.values, "EUR")
        moments = self._moments.advance(columns.customer_id, columns.event_time_ns, columns.amount)
        scores = self._scorer.score(assemble(moments, columns.amount, columns.event_time_ns))
        if len(chunk):
            self._offset = chunk.last_offset
        emitted = Emitted(outputs=[dead_letter_output(chunk, rejection) for rejection in rejections])
        for row in np.flatnonzero(scores >= self._threshold).tolist():
            event_id = columns.transaction_id[row]
            emitted.outputs.append(
                Output(
                    "alerts",
                    self._partition,
                    columns.customer_id[row].encode(),
                    msgspec.json.encode({"event_id": event_id, "score": float(scores[row])}),
                    event_id.encode(),
                )
            )
        emitted.counts = {"scored": len(scores)}
        return emitted

    def take_changed(self) -> StoredRows:
        """Return the rows changed since the last call."""
        return self._moments.take_changed()

    def cut(self) -> bytes:
        """Return the last offset contained."""
        return msgspec.msgpack.encode(self._offset)

    def last_offset(self) -> int:
        """Return the offset of the last record taken."""
        return self._offset

    def read_on_offset(self) -> int:
        """Return the offset after it."""
        return self._offset + 1

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and its rows."""
        self._offset = msgspec.msgpack.decode(cut, type=int)
        self._moments.load(rows)
