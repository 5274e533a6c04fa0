"""The outbox: records leave at once, in order, in batches that grow by themselves under load.

An agent appends and goes on; one sender task a partition takes all that has gathered and sends it as one request.
While a request is under way the next batch fills. Whoever must know that records arrived waits at a fence.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerFenced

from stream.producer_epoch import FencedError, ProducerEpoch, write_under

BATCH_BYTES = 1 << 20
REQUEST_BYTES = 24 << 20
"""A dead letter holds a message of up to 12 MiB as base64."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent; `timestamp_ms` is the record's own in Kafka, None for the time of sending."""

    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_ms: int | None = None


@dataclass(slots=True)
class LaneFence:
    """A place in a lane, after `count` records, and the offset in the log that it has (None: not known)."""

    count: int
    end: int | None


Fence = dict[tuple[str, int], LaneFence]
"""A place in each lane (topic, partition)."""


@dataclass(slots=True)
class _Lane:
    """One partition: what waits, how far delivery has come, and the fences that it has not come to yet."""

    waiting: deque[Record] = field(default_factory=deque)
    appended: int = 0
    delivered: int = 0
    next_offset: int | None = None
    fences: deque[LaneFence] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    sender: asyncio.Task[None] | None = None


class OutboxError(RuntimeError):
    """A record could not be delivered; what was appended after it was not sent either."""


class Outbox:
    """Appends records to open batches, a lane for each (topic, partition); idempotent, in order, none lost.

    With an `epoch` the broker refuses its records once another worker has taken the partitions over: then, and for
    every later record, FencedError is raised where OutboxError is for other failures.
    """

    def __init__(self, bootstrap: str, *, client_id: str, epoch: ProducerEpoch | None = None) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._epoch = epoch
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._producer: AIOKafkaProducer | None = None
        self._failure: BaseException | None = None

    async def start(self) -> None:
        """Connect to the broker."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            enable_idempotence=True,
            acks="all",
            max_batch_size=BATCH_BYTES,
            max_request_size=REQUEST_BYTES,
        )
        if self._epoch is not None:
            write_under(self._epoch, self._producer)
        try:
            await self._producer.start()
        except BaseException:
            await self._producer.stop()
            raise

    async def stop(self) -> None:
        """End the senders and disconnect; records not yet sent are given up (the checkpoint never covered them)."""
        senders = [lane.sender for lane in self._lanes.values() if lane.sender is not None]
        for sender in senders:
            sender.cancel()
        await asyncio.gather(*senders, return_exceptions=True)
        if self._producer is not None:
            await self._producer.stop()

    def append(self, topic: str, partition: int, record: Record) -> None:
        """Queue one record; raises OutboxError once a delivery has failed."""
        self._raise_failure()
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = _Lane()
            lane.sender = asyncio.get_running_loop().create_task(self._drain(topic, partition, lane))
        lane.waiting.append(record)
        lane.appended += 1
        lane.wake.set()

    def fence(self) -> Fence:
        """Return the place behind all that was appended: what `delivered` can later be asked to wait for."""
        fence = {}
        for at, lane in self._lanes.items():
            fence[at] = LaneFence(lane.appended, lane.next_offset)
            if lane.delivered < lane.appended:
                fence[at].end = None
                lane.fences.append(fence[at])
        return fence

    async def delivered(self, fence: Fence) -> dict[tuple[str, int], int]:
        """Wait until all that the fence names is acknowledged; return the offset after it, lane by lane.

        What was appended after the fence lies at or behind that offset, also if it is acknowledged already. Lanes that
        never delivered a record are left out. Raises OutboxError if a delivery failed.
        """
        ends = {}
        for at, place in fence.items():
            lane = self._lanes[at]
            while lane.delivered < place.count:
                self._raise_failure()
                lane.progress.clear()
                await lane.progress.wait()
            if place.end is not None:
                ends[at] = place.end
        return ends

    def backlog(self) -> int:
        """Return how many records are appended and not acknowledged yet."""
        return sum(lane.appended - lane.delivered for lane in self._lanes.values())

    async def room(self, limit: int) -> None:
        """Wait while more than `limit` records are unacknowledged in some lane."""
        for lane in tuple(self._lanes.values()):
            while lane.appended - lane.delivered > limit:
                self._raise_failure()
                lane.progress.clear()
                await lane.progress.wait()

    def _raise_failure(self) -> None:
        if isinstance(self._failure, ProducerFenced):
            raise FencedError("a record was refused: another worker has taken the partition over") from self._failure
        if self._failure is not None:
            raise OutboxError(f"a record could not be delivered: {self._failure!r}") from self._failure

    async def _drain(self, topic: str, partition: int, lane: _Lane) -> None:
        producer = self._producer
        assert producer is not None, "start() comes before append()"
        try:
            while True:
                await lane.wake.wait()
                lane.wake.clear()
                while lane.waiting:
                    batch = producer.create_batch()
                    count = 0
                    while lane.waiting:
                        record = lane.waiting[0]
                        if (
                            batch.append(
                                timestamp=record.timestamp_ms,
                                key=record.key,
                                value=record.value,
                                headers=list(record.headers),
                            )
                            is None
                        ):
                            break
                        lane.waiting.popleft()
                        count += 1
                    delivery = await producer.send_batch(batch, topic, partition=partition)
                    metadata = await delivery
                    while lane.fences and lane.fences[0].count <= lane.delivered + count:
                        place = lane.fences.popleft()
                        place.end = metadata.offset + place.count - lane.delivered
                    lane.delivered += count
                    lane.next_offset = metadata.offset + count
                    lane.progress.set()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._failure = error
            for one in self._lanes.values():
                one.progress.set()
