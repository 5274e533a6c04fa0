"""The changelog: checkpoints as Kafka transactions, and what they restore to.

A checkpoint is one transaction on one partition of a compacted topic: the rows that changed, and the cut. A restore
reads that partition read-committed, so it always sees whole checkpoints. The transactional id belongs to the
partition: whoever starts a changelog takes it over, together with the output partitions, and whatever a former owner
writes after that is refused by the broker (`stream.producer_epoch`).
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec
import numpy as np
from aiokafka import AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import ProducerFenced

from risk.byte_slices import ABSENT, BytesColumn
from risk.stored_rows import StoredRows
from stream.encoded_batch import EncodedBatch, encoded_batches
from stream.latest_rows import LatestRows
from stream.log_span import read_columns
from stream.producer_epoch import FencedError, ProducerEpoch, commit_again, mark, outlive_coordinators, take_note

BATCH_BYTES = 1 << 20
REQUEST_BYTES = 16 << 20
MANY_ROWS = 2_000
CUT_KEY = b"c"
ROW_PREFIX = b"r"


class Cut(msgspec.Struct, frozen=True):
    """What a checkpoint contains: the source up to and with `source_offset`.

    Every version of the state reads and writes this; `fold_cut` and the rows are a version's own. `fold_cut` is the
    fold's account of its source; `output_ends` is, for each output topic, the offset from which outputs of later
    events may lie in the partition.
    """

    state_version: str
    source_offset: int
    fold_cut: bytes
    output_ends: dict[str, int]


class StateVersionError(RuntimeError):
    """A changelog holds a state that this version cannot read."""


@dataclass(frozen=True, slots=True)
class Restored:
    """The last committed checkpoint: its cut (None when there never was one) and all rows."""

    cut: Cut | None
    rows: StoredRows


async def last_checkpoint(
    bootstrap: str, topic: str, partition: int, state_version: str, on_progress: Callable[[int], None]
) -> Restored:
    """Read a changelog's partition to its end and return the last state.

    `on_progress` is told how many records were read so far.
    Raises StateVersionError when the state was written in another version.
    """
    restored = await any_checkpoint(bootstrap, topic, partition, on_progress)
    cut = restored.cut
    if cut is not None and cut.state_version != state_version:
        raise StateVersionError(
            f"changelog {topic}[{partition}] holds state version {cut.state_version!r}, this worker"
            f" reads {state_version!r}: run the version that wrote it, or make the state anew from the source by"
            " `riskstream state rebuild`"
        )
    return restored


async def any_checkpoint(
    bootstrap: str, topic: str, partition: int, on_progress: Callable[[int], None] = lambda count: None
) -> Restored:
    """Return what `last_checkpoint` does, in whichever version of the state it was written."""
    latest = LatestRows()
    count = 0
    async for part in read_columns(bootstrap, KafkaPartition(topic, partition), 0, isolation="read_committed"):
        latest.add(part.keys, part.values)
        count += len(part)
        on_progress(count)
    # In a thread, as it is long for a large state; chunks of other partitions go on.
    kept = await asyncio.to_thread(latest.rows)
    cuts = kept.starting_with(CUT_KEY)
    if not len(cuts):
        return Restored(None, StoredRows.of([]))
    return Restored(msgspec.msgpack.decode(cuts[0][1], type=Cut), kept.starting_with(ROW_PREFIX))


class Changelog:
    """One partition's changelog."""

    def __init__(self, bootstrap: str, *, transactional_id: str, topic: str, partition: int) -> None:
        self._at = KafkaPartition(topic, partition)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            transactional_id=transactional_id,
            transaction_timeout_ms=60_000,
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES,
        )
        outlive_coordinators(self._producer)

    async def start(self, outputs: Iterable[KafkaPartition]) -> ProducerEpoch:
        """Take the partition and its outputs over; return the epoch that outputs are to be written under.

        An open transaction of a former owner is aborted. Once this returns, it can write no more to the changelog nor
        to the outputs, so that what they hold now is all that they will hold of it.
        """
        await self._producer.start()
        with self._fencing():
            return await mark(self._producer, outputs, self._at)

    async def prove_ownership(self) -> None:
        """Return if nobody has taken the partition over since; raises FencedError if somebody has."""
        with self._fencing():
            await commit_again(self._producer, self._at)

    @contextmanager
    def _fencing(self) -> Iterator[None]:
        try:
            yield
        except ProducerFenced as fenced:
            take_note(self._producer)
            raise FencedError(
                f"changelog {self._at.topic}[{self._at.partition}] was taken over by another worker"
            ) from fenced

    async def stop(self) -> None:
        """Disconnect."""
        await self._producer.stop()

    async def write(self, rows: Iterable[tuple[bytes, bytes]], cut: Cut, gone: Sequence[bytes] = ()) -> None:
        """Write one checkpoint as one transaction; the rows of the keys that are `gone` are removed.

        Raises FencedError if the partition has a new owner.
        """
        producer = self._producer
        stored, now_ms = StoredRows.of(rows), int(time.time() * 1000)
        if len(stored) < MANY_ROWS:
            batches = checkpoint_batches(stored, cut, now_ms, gone)
        else:
            # Compiled code that lets go of the interpreter: others' chunks are scored meanwhile.
            batches = await asyncio.to_thread(checkpoint_batches, stored, cut, now_ms, gone)
        with self._fencing():
            async with producer.transaction():
                deliveries = [
                    await producer.send_batch(batch, self._at.topic, partition=self._at.partition) for batch in batches
                ]
                await asyncio.gather(*deliveries)


def checkpoint_batches(rows: StoredRows, cut: Cut, now_ms: int, gone: Sequence[bytes] = ()) -> list[EncodedBatch]:
    """Return a checkpoint as the batches that are written: rows that are gone, the rows, and the cut after them."""
    parts = [rows.prefixed(ROW_PREFIX), StoredRows.of([(CUT_KEY, msgspec.msgpack.encode(cut))])]
    if gone:
        nothing = np.full(len(gone), ABSENT)
        removed = StoredRows(BytesColumn.of(gone), BytesColumn(np.empty(0, dtype=np.uint8), nothing, nothing))
        parts = [removed.prefixed(ROW_PREFIX), *parts]
    return encoded_batches(StoredRows.joined(parts), now_ms, most_bytes=BATCH_BYTES, transactional=True)
