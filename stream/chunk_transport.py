"""A Faust transport that delivers all that a fetch brought instead of single messages.

Faust spends about 100 us of CPU on each message it routes. This transport hands an agent one event per fetch, whose
value are the `Chunk`s of its topic's partitions with all the records that were waiting. Faust still owns the group, the
rebalance and the flow of control; it does so a thousand times less often. All code that leans on the insides of Faust
and aiokafka is in this module and in `stream.raw_fetch`, and `tests/e2e/test_worker_shell.py` pins what it leans on.

Topics that are read through it must be declared with `acks=False`: offsets are committed by the checkpoints, through
`ChunkConsumer.commit_offsets`, and never by Faust.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, ClassVar, cast

import aiokafka
import faust
from aiokafka.errors import ConsumerStoppedError, IllegalStateError
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage
from faust.types import Message as FaustMessage

from risk.chunk import Chunk
from stream.raw_fetch import RawFetch
from stream.record_batches import FetchedRecords

SCHEME = "chunks"
"""Scheme of the broker URL that chooses this transport: `chunks://127.0.0.1:9092`."""

FETCH_TIMEOUT_SECONDS = 0.25
FETCH_MAX_WAIT_MS = 250
"""How long the broker may hold back an answer when nothing is there: it bounds how late an empty partition is known
to be empty."""

Chunks = tuple[Chunk, ...]
"""What a fetch brought of one topic, partition by partition."""

HOLD_UP_SECONDS = 0.05
"""How long an agent that waits, for a restore or for the broker, may keep others from the next fetch."""


class ChunkSchema(faust.Schema[None, Chunks]):
    """Passes the chunks through: decoding is the core's, and a bad message is a value there."""

    def loads_key(self, app: AppT, message: FaustMessage, **_: Any) -> None:
        """Return None: the keys are in the chunks."""

    def loads_value(self, app: AppT, message: FaustMessage, **_: Any) -> Any:
        """Return the chunks that the consumer put into the message."""
        return message.value


class ChunkConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, with a shorter long poll, and records as they were fetched."""

    _raw: RawFetch

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        self._raw = RawFetch(consumer)
        return consumer

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Any:
        if not self.consumer.flow_active:
            return {}
        if consumer._closed or consumer._fetcher._closed:
            raise ConsumerStoppedError
        with consumer._fetcher._subscriptions.fetch_context():
            return await self._raw.records(active_partitions, timeout or 0.0)

    def reached_end(self, tp: TP) -> bool | None:
        """Tell whether everything in the partition was read; None before the broker said where it ends."""
        assignment = self._ensure_consumer()._subscription.subscription.assignment
        if assignment is None:
            return None
        try:
            state = assignment.state_value(driver.ensure_aiokafka_TP(tp))
        except KeyError:
            return None
        if state is None or state.highwater is None or not state.has_valid_position:
            return None
        return bool(state.position >= state.highwater)

    def coordination_ended(self) -> bool:
        """Tell whether the group's coordination has ended with an error: no partition will come or go any more."""
        coordinator = getattr(self._consumer, "_coordinator", None)
        task = getattr(coordinator, "_coordination_task", None)
        return task is not None and task.done() and not task.cancelled() and task.exception() is not None

    def position_now(self, tp: TP) -> int:
        """Return the offset that will be read next."""
        assignment = self._ensure_consumer()._subscription.subscription.assignment
        return int(assignment.state_value(driver.ensure_aiokafka_TP(tp)).position)


class ChunkConsumer(driver.Consumer):
    """Yields one message per topic and fetch; its value are the chunks."""

    _thread: ChunkConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told_end: set[TP] = set()
        self._unfinished = 0
        self._finished = asyncio.Event()

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, FaustMessage]]:
        """Yield (partition, message) for each topic that a fetch brought something of, or of which a log ended."""
        await self._let_agents_finish()
        records, active = await self._wait_next_records(min(timeout, FETCH_TIMEOUT_SECONDS))
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            # Faust does the same: what was fetched while a rebalance began is fetched again after it.
            self._told_end.clear()
            await self.perform_seek()
            return
        generation = self.app.consumer_generation_id
        by_topic: defaultdict[str, list[Chunk]] = defaultdict(list)
        for tp, part in cast(Mapping[TP, FetchedRecords], records).items():
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            ended = bool(self._thread.reached_end(tp))
            (self._told_end.add if ended else self._told_end.discard)(TP(*tp))
            by_topic[tp.topic].append(part.chunk(tp.topic, tp.partition, caught_up=ended))
        for tp in active or ():
            if tp not in records and tp not in self._told_end and self._thread.reached_end(tp):
                self._told_end.add(tp)
                by_topic[tp.topic].append(Chunk.of(tp.topic, tp.partition, (), (), (), caught_up=True))
        for chunks in by_topic.values():
            if not (self.flow_active and generation == self.app.consumer_generation_id):
                self._told_end.clear()
                return
            tp = TP(chunks[0].topic, chunks[0].partition)
            self._unfinished += 1
            yield tp, self._message(tp, tuple(chunks))

    async def _let_agents_finish(self) -> None:
        """Wait until what was handed over is worked off, or for as long as one that waits itself may hold up others.

        Where agents are busy, what comes meanwhile is then one chunk, and not one for each fetch.
        """
        self._finished.clear()
        if self._unfinished > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._finished.wait(), HOLD_UP_SECONDS)
            # What a rebalance dropped on its way is never finished.
            self._unfinished = 0

    def finish(self) -> None:
        """Take note that an agent has worked a message off."""
        self._unfinished = max(0, self._unfinished - 1)
        if not self._unfinished:
            self._finished.set()

    async def perform_seek(self) -> None:
        """Seek all partitions to what is committed of them, of the assignment that holds when that is known."""
        while self.assignment():
            try:
                await super().perform_seek()
            except IllegalStateError:
                # A rebalance took a partition away while its offset was asked for: what is left is still to be sought.
                continue
            return

    def _message(self, tp: TP, chunks: Chunks) -> FaustMessage:
        # Faust drops what it takes for read already: the offset of the partition it knows the message by never falls.
        offset = chunks[0].last_offset if len(chunks[0]) else self._thread.position_now(tp)
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            offset,
            0.0,
            0,
            None,
            None,
            cast(bytes, chunks),
            None,
            serialized_key_size=0,
            serialized_value_size=0,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    async def commit_offsets(self, offsets: Mapping[TP, int]) -> bool:
        """Commit for the group where reading goes on; False when the partitions are no longer this worker's.

        The checkpoints call this after they are durable: the group's offsets follow, they never lead.
        """
        return await self._commit(offsets)

    def coordination_ended(self) -> bool:
        """Tell whether the group's coordination has ended with an error, which is in the log; nobody else notices."""
        return self._thread.coordination_ended()

    def positions(self) -> dict[TP, tuple[int, int]]:
        """Return (next offset to read, end offset) of every assigned partition for which both are known."""
        found = {}
        for tp in self.assignment():
            if self._thread.reached_end(tp) is not None:
                found[tp] = (self._thread.position_now(tp), self._thread.highwater(tp))
        return found


class ChunkTransport(driver.Transport):
    """Kafka through aiokafka, by the chunk."""

    Consumer: ClassVar[type[ChunkConsumer]] = ChunkConsumer


def register_chunk_transport() -> None:
    """Make `chunks://` known to Faust; calling it again changes nothing."""
    TRANSPORTS.aliases[SCHEME] = f"{__name__}:ChunkTransport"
