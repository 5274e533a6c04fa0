"""A Faust transport that delivers whole fetched chunks instead of single messages.

Faust spends about 100 us of CPU on each message it routes. This transport hands an agent one event per partition and
fetch, whose value is a `Chunk` of all the records that were waiting. Faust still owns the group, the rebalance and
the flow of control; it does so a thousand times less often. All code that leans on the insides of Faust and aiokafka
is in this module, and `tests/e2e/test_worker_shell.py` pins what it leans on.

Topics that are read through it must be declared with `acks=False`: offsets are committed by the checkpoints, through
`ChunkConsumer.commit_offsets`, and never by Faust.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar, cast

import aiokafka
import faust
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, AppT, ConsumerMessage
from faust.types import Message as FaustMessage

from risk.chunk import Chunk

SCHEME = "chunks"
"""Scheme of the broker URL that chooses this transport: `chunks://127.0.0.1:9092`."""

FETCH_TIMEOUT_SECONDS = 0.25
FETCH_MAX_WAIT_MS = 250
"""How long the broker may hold back an answer when nothing is there: it bounds how late an empty partition is known
to be empty."""


class ChunkSchema(faust.Schema[None, Chunk]):
    """Passes the chunk through: decoding is the core's, and a bad message is a value there."""

    def loads_key(self, app: AppT, message: FaustMessage, **_: Any) -> None:
        """Return None: the keys are in the chunk."""

    def loads_value(self, app: AppT, message: FaustMessage, **_: Any) -> Any:
        """Return the chunk that the consumer put into the message."""
        return message.value


class ChunkConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, with a shorter long poll."""

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        return consumer

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
    """Yields one message per partition and fetch; its value is the chunk."""

    linger_seconds: ClassVar[float] = 0.002
    """A fetch that brought little is followed by this pause, so that a light stream costs few chunks."""

    busy_linger_seconds: ClassVar[float] = 0.008
    """The pause after a fetch of `busy_records` and more. At tens of thousands of records a second a chunk costs more
    than what it holds: of 50,000 ticks a second each then costs 7 us where it cost 12, and waits 3 ms longer."""

    busy_records: ClassVar[int] = 64

    linger_below_records: ClassVar[int] = 1024

    _thread: ChunkConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told_end: set[TP] = set()

    def _new_consumer_thread(self) -> ChunkConsumerThread:
        return ChunkConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, FaustMessage]]:
        """Yield (partition, message) for what one fetch brought, and an empty chunk where a log ended."""
        records, active = await self._wait_next_records(min(timeout, FETCH_TIMEOUT_SECONDS))
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            # Faust does the same: what was fetched while a rebalance began is fetched again after it.
            self._told_end.clear()
            await self.perform_seek()
            return
        generation = self.app.consumer_generation_id
        fetched = 0
        for tp, messages in records.items():
            if not self._may_deliver(generation):
                return
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            fetched += len(messages)
            ended = bool(self._thread.reached_end(tp))
            (self._told_end.add if ended else self._told_end.discard)(tp)
            yield TP(*tp), self._chunk_message(TP(*tp), messages, ended)
        for tp in tuple(active or ()):
            if not self._may_deliver(generation):
                return
            if tp not in records and tp not in self._told_end and self._thread.reached_end(tp):
                self._told_end.add(tp)
                yield tp, self._chunk_message(tp, (), caught_up=True)
        if 0 < fetched < self.linger_below_records:
            await asyncio.sleep(self.busy_linger_seconds if fetched >= self.busy_records else self.linger_seconds)

    async def perform_seek(self) -> None:
        """Seek all partitions to what is committed of them, of the assignment that holds when that is known."""
        while self.assignment():
            try:
                await super().perform_seek()
            except IllegalStateError:
                # A rebalance took a partition away while its offset was asked for: what is left is still to be sought.
                continue
            return

    def _may_deliver(self, generation: int) -> bool:
        return bool(self.flow_active) and generation == self.app.consumer_generation_id

    def _chunk_message(self, tp: TP, records: Any, caught_up: bool) -> FaustMessage:
        chunk = Chunk.of(
            topic=tp.topic,
            partition=tp.partition,
            offsets=tuple(record.offset for record in records),
            keys=tuple(record.key for record in records),
            values=tuple(record.value for record in records),
            caught_up=caught_up,
            timestamps_ms=tuple(record.timestamp for record in records),
        )
        last = records[-1] if records else None
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset if last else self._thread.position_now(tp),
            (last.timestamp or 0) / 1000.0 if last else 0.0,
            0,
            None,
            None,
            cast(bytes, chunk),
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
