"""Reads the ends of topics, and then what comes, for as long as the page runs."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from stream.page.topic_partitions import partitions_by_topic

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2.0
POLL_MS = 10
REST_SECONDS = 0.09
"""No fetch is sent for as long after a poll that gave nothing."""
RECORDS_AT_ONCE = 500
"""Between as many, other work has its turn."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record's value, where it lies, and when Kafka took it up, in milliseconds since the Unix epoch."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    value: bytes


class TopicTails:
    """Follows all partitions of topics without a group, from a number of records before their ends.

    `most_records` gives for each topic how many records before the ends of all its partitions are read at most.
    `take` gets them in the order of partitions and offsets; `caught_up` is called once all are read that there were.
    """

    def __init__(
        self,
        bootstrap: str,
        most_records: Mapping[str, int],
        take: Callable[[Sequence[Record]], None],
        caught_up: Callable[[], None],
    ) -> None:
        self._bootstrap = bootstrap
        self._most_records = most_records
        self._take = take
        self._caught_up = caught_up
        self._next: dict[KafkaPartition, int] = {}
        self._ends: dict[KafkaPartition, int] = {}
        self._has_caught_up = False
        self.waits_for = "the broker"

    async def follow(self) -> None:
        """Read until cancelled. A broker that is away is tried again, and read on from where it was left."""
        while True:
            try:
                await self._read()
            except (KafkaError, OSError) as error:
                self.waits_for = "the broker"
                log.warning("topics_not_read", error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _read(self) -> None:
        partitions = await self._partitions()
        if not partitions:
            return
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            client_id="riskstream-page",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=250,
        )
        try:
            await consumer.start()
            await self._seek(consumer, partitions)
            self.waits_for = ""
            while True:
                batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_AT_ONCE)
                for at, records in batches.items():
                    self._take([_record(one) for one in records])
                    self._next[at] = records[-1].offset + 1
                if not self._has_caught_up:
                    await self._note_caught_up(consumer)
                if not batches:
                    # The embedded broker answers at once that there is nothing, thousands of times a second.
                    consumer.pause(*partitions)
                    await asyncio.sleep(REST_SECONDS)
                    consumer.resume(*partitions)
        finally:
            await consumer.stop()

    async def _partitions(self) -> list[KafkaPartition]:
        there = await partitions_by_topic(self._bootstrap, self._most_records)
        missing = sorted(self._most_records.keys() - there.keys())
        if missing:
            self.waits_for = f"the topic {missing[0]}, which a worker makes"
            return []
        return [KafkaPartition(topic, at) for topic, count in there.items() for at in range(count)]

    async def _seek(self, consumer: AIOKafkaConsumer, partitions: list[KafkaPartition]) -> None:
        consumer.assign(partitions)
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        counts = {at.topic: sum(other.topic == at.topic for other in partitions) for at in partitions}
        for at in partitions:
            if at not in self._next:
                self._next[at] = ends[at] - max(1, self._most_records[at.topic] // counts[at.topic])
                self._ends[at] = ends[at]
            # A log that was made anew ends before what was read of the former one.
            wanted = self._next[at] if self._next[at] <= ends[at] else beginnings[at]
            consumer.seek(at, max(beginnings[at], wanted))

    async def _note_caught_up(self, consumer: AIOKafkaConsumer) -> None:
        for at, end in self._ends.items():
            if await consumer.position(at) < end:
                return
        self._has_caught_up = True
        self._caught_up()


def _record(one: ConsumerRecord) -> Record:
    return Record(one.topic, one.partition, one.offset, one.timestamp, one.value or b"")
