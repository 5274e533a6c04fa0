"""Keeps every alert in files of Parquet by day, each alert once, whatever dies."""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata

from stream.forward.alert_message import NotAnAlert, read_alert
from stream.forward.alert_table import AlertRow
from stream.forward.forward_dead_letters import ForwardDeadLetters
from stream.forward.group import POLL_MS, group_consumer
from stream.forward.trail_files import Span, TrailFiles
from stream.forward.until import until
from stream.settings import Settings

log = structlog.get_logger(__name__)

SPAN_BYTES = 16 << 20
"""How much of a partition, as messages, is held until it is written, if time does not come first."""

WRITE_SECONDS = 30.0
"""The longest that writing what is held may take when partitions are given up."""


class TrailError(RuntimeError):
    """The folder and the group do not belong together; the message names both and the remedy."""


@dataclass
class TrailTally:
    """What a forwarder did: alerts written, messages given up."""

    alerts: int = 0
    dead_lettered: int = 0


@dataclass
class Held:
    """What was read of a partition and is not written; `begin` is the offset last committed, None where none is."""

    begin: int | None = None
    rows: list[AlertRow] = field(default_factory=list)
    unreadable: list[tuple[ConsumerRecord, NotAnAlert]] = field(default_factory=list)
    size_bytes: int = 0
    end: int = 0
    since_seconds: float = 0.0

    def take(self, records: list[ConsumerRecord]) -> None:
        """Hold records that follow those held."""
        if self.size_bytes == 0:
            self.since_seconds = time.monotonic()
        for record in records:
            found = read_alert(record.value)
            if isinstance(found, NotAnAlert):
                self.unreadable.append((record, found))
            else:
                self.rows.append(AlertRow(found, record.topic, record.partition, record.offset))
            self.size_bytes += len(record.value or b"") + 1
        self.end = records[-1].offset + 1


class AuditTrail(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Writes spans of alerts for as long as `run` runs; the consumer and the admin client are started already."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        admin: AIOKafkaAdminClient,
        group: str,
        files: TrailFiles,
        letters: ForwardDeadLetters,
        every_seconds: float,
    ) -> None:
        self._consumer = consumer
        self._admin = admin
        self._group = group
        self._files = files
        self._letters = letters
        self._every_seconds = every_seconds
        self._held: dict[KafkaPartition, Held] = {}
        self._new: set[KafkaPartition] = set()
        # A partition is not given up while a span of it is between its commit and its place in the trail.
        self._writing = asyncio.Lock()
        self.tally = TrailTally()

    async def run(self, topic: str, stop: asyncio.Event) -> None:
        """Write alerts until `stop` is set; then write and commit what is held. Raises TrailError and OSError."""
        self._consumer.subscribe([topic], listener=self)
        while not stop.is_set():
            await until(stop, self._take_up())
            async with self._writing:
                await self._recover_new()
                for at in [at for at, held in self._held.items() if self._is_due(held)]:
                    await self._write(at)
        await self._write_all()

    async def on_partitions_revoked(self, revoked: Collection[KafkaPartition]) -> None:
        """Write and commit what is held, before another member begins."""
        try:
            await self._write_all()
        finally:
            self._held, self._new = {}, set()

    async def on_partitions_assigned(self, assigned: Collection[KafkaPartition]) -> None:
        """Take note: what was left pending is looked after before anything of them is written."""
        self._held = {at: Held() for at in assigned}
        self._new = set(assigned)
        log.info("partitions_assigned", partitions=sorted(at.partition for at in assigned))

    async def _take_up(self) -> None:
        # No await lies between the fetch and the rows, so a rebalance finds every record among them.
        for at, records in (await self._consumer.getmany(timeout_ms=POLL_MS)).items():
            # Of a partition that was lost nothing is held; it is read again by whoever has it next.
            if at in self._held:
                self._held[at].take(records)

    def _is_due(self, held: Held) -> bool:
        waited_seconds = time.monotonic() - held.since_seconds
        return held.size_bytes > 0 and (held.size_bytes >= SPAN_BYTES or waited_seconds >= self._every_seconds)

    async def _recover_new(self) -> None:
        new, self._new = self._new, set()
        for at in new:
            committed = await self._committed(at)
            span = committed and Span.committed_as(committed.metadata, at.partition, committed.offset)
            await asyncio.to_thread(self._files.recover, at.partition, span)
            self._held[at].begin = committed.offset if committed else None
            written = await asyncio.to_thread(self._files.end, at.partition)
            if written > (committed.offset if committed else 0):
                raise TrailError(
                    f"the folder holds partition {at.partition} up to offset {written - 1}, which the group"
                    f" {self._group} has not reached: it is another group's, or the topic was made anew;"
                    " name an empty folder"
                )

    async def _write_all(self) -> None:
        async with self._writing:
            for at in [at for at, held in self._held.items() if held.size_bytes > 0 and at not in self._new]:
                await self._write(at)

    async def _write(self, at: KafkaPartition) -> None:
        held = self._held[at]
        span = self._files.span(held.rows, held.end - 1) if held.rows else None
        if span is not None:
            await asyncio.to_thread(self._files.stage, span, held.rows)
        for record, why in held.unreadable:
            await self._letters.not_an_alert(record, why)
        try:
            await self._commit(at, held, span)
        except (CommitFailedError, IllegalStateError) as failed:
            # The partition is another's by now, and so is what was held of it; the group is joined again.
            log.warning("commit_failed", partition=at.partition, error=type(failed).__name__)
            del self._held[at]
            if span is not None:
                await asyncio.to_thread(self._files.discard, span)
            return
        if span is not None:
            await asyncio.to_thread(self._files.publish, span)
        self.tally.alerts += len(held.rows)
        self.tally.dead_lettered += len(held.unreadable)
        log.info("span_written", partition=at.partition, end=held.end, alerts=len(held.rows))
        self._held[at] = Held(held.end)

    async def _commit(self, at: KafkaPartition, held: Held, span: Span | None) -> None:
        """Commit what is held; raises CommitFailedError if the partition was another's meanwhile."""
        # The broker refuses a member of an older generation, but not one that finds its group empty again.
        committed = await self._committed(at)
        if (committed.offset if committed else None) != held.begin:
            raise CommitFailedError(f"partition {at.partition} was committed by another member")
        await self._consumer.commit({at: OffsetAndMetadata(held.end, span.commit_text() if span else "")})

    async def _committed(self, at: KafkaPartition) -> OffsetAndMetadata | None:
        found = (await self._admin.list_consumer_group_offsets(self._group, partitions=[at]))[at]
        return found if found.offset >= 0 else None


async def forward_to_trail(
    settings: Settings, group: str, folder: Path, every_seconds: float, stop: asyncio.Event
) -> TrailTally:
    """Write alerts to the folder until `stop` is set, and return what was done; the topics are there.

    Raises TrailError where the folder is not this group's, OSError where it cannot be written, and aiokafka's
    KafkaError when the broker cannot be reached at the start.
    """
    topic = settings.topic("alerts")
    files = TrailFiles(folder)
    consumer = group_consumer(settings, group, WRITE_SECONDS)
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    async with ForwardDeadLetters(settings, group) as letters:
        try:
            await admin.start()
            await consumer.start()
            log.info("forwarding", topic=topic, group=group, folder=str(folder))
            trail = AuditTrail(consumer, admin, group, files, letters, every_seconds)
            await trail.run(topic, stop)
        finally:
            await consumer.stop()
            await admin.close()
    log.info("forwarding_stopped", **vars(trail.tally))
    return trail.tally
