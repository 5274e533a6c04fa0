"""Hands a topic on, at least once: partition by partition in order, partitions beside each other.

An offset is committed when its message and all before it are done with. A partition at work is paused, so what waits
is one fetch of each partition, however long the receiver is away, while the consumer goes on polling and stays in its
group.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import CommitFailedError, IllegalStateError

from stream.forward.group import POLL_MS
from stream.forward.until import until

log = structlog.get_logger(__name__)

COMMIT_INTERVAL_SECONDS = 1.0
COMMIT_TIMEOUT_SECONDS = 5.0

Handle = Callable[[ConsumerRecord, asyncio.Event], Awaitable[bool]]
"""Does with a record what is to be done; once the event is set it returns soon, and False if it is not done."""


class OrderedDelivery(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Handles the records of a topic for as long as `run` runs; the consumer is started already."""

    def __init__(self, consumer: AIOKafkaConsumer, handle: Handle) -> None:
        self._consumer = consumer
        self._handle = handle
        self._release = asyncio.Event()
        self._at_work: dict[KafkaPartition, asyncio.Task[None]] = {}
        self._done_to: dict[KafkaPartition, int] = {}
        self._committed_at = time.monotonic()

    async def run(self, topic: str, stop: asyncio.Event) -> None:
        """Handle records until `stop` is set; then finish those in flight and commit. Raises what handling raises."""
        self._consumer.subscribe([topic], listener=self)
        while not stop.is_set():
            await until(stop, self._take_up())
            self._resume_those_done()
            if time.monotonic() - self._committed_at >= COMMIT_INTERVAL_SECONDS:
                await self._commit()
        await self._give_up_partitions()

    async def on_partitions_revoked(self, revoked: Collection[KafkaPartition]) -> None:
        """Finish what is in flight and commit, before another member begins."""
        await self._give_up_partitions()

    async def on_partitions_assigned(self, assigned: Collection[KafkaPartition]) -> None:
        """Tell the log."""
        log.info("partitions_assigned", partitions=sorted(at.partition for at in assigned))

    async def _take_up(self) -> None:
        # No await lies between the fetch and the tasks, so a rebalance finds every record in one of them.
        for at, records in (await self._consumer.getmany(timeout_ms=POLL_MS)).items():
            self._consumer.pause(at)
            self._at_work[at] = asyncio.ensure_future(self._work_off(at, records, self._release))

    async def _work_off(self, at: KafkaPartition, records: list[ConsumerRecord], release: asyncio.Event) -> None:
        for record in records:
            if release.is_set() or not await self._handle(record, release):
                return
            self._done_to[at] = record.offset + 1

    def _resume_those_done(self) -> None:
        for at in [at for at, task in self._at_work.items() if task.done()]:
            self._at_work.pop(at).result()
            self._consumer.resume(at)

    async def _give_up_partitions(self) -> None:
        release, self._release = self._release, asyncio.Event()
        release.set()
        at_work, self._at_work = self._at_work, {}
        # What one of them raises comes again with its message, which is not committed.
        await asyncio.gather(*at_work.values(), return_exceptions=True)
        await self._commit()
        self._done_to = {}

    async def _commit(self) -> None:
        self._committed_at = time.monotonic()
        offsets = dict(self._done_to)
        if not offsets:
            return
        try:
            await asyncio.wait_for(self._consumer.commit(offsets), COMMIT_TIMEOUT_SECONDS)
        except (CommitFailedError, IllegalStateError, TimeoutError) as failed:
            # Whoever has the partitions next begins where the last commit was.
            log.warning("commit_failed", error=type(failed).__name__)
            return
        self._done_to = {at: offset for at, offset in self._done_to.items() if offsets.get(at) != offset}
