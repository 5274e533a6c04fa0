"""Follows partitions for as long as it runs, with no group and nothing committed; a broker that goes is waited for."""

import asyncio
from collections.abc import Callable, Mapping
from typing import NoReturn

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from stream.monitor.window_start import Span

log = structlog.get_logger(__name__)

BATCH_RECORDS = 500
"""How many records are taken up before others have their turn: some 5 ms of work."""

RETRY_SECONDS = 1.0

Take = Callable[[KafkaPartition, list[ConsumerRecord]], None]


class TopicFollower:
    """Reads spans of partitions, and then what comes."""

    def __init__(self, bootstrap: str, spans: Mapping[KafkaPartition, Span]) -> None:
        self._bootstrap = bootstrap
        self._ends = {at: span.end for at, span in spans.items()}
        self._positions = {at: span.first for at, span in spans.items()}
        self.unread = 0
        self._count_unread()

    async def run(self, take: Take) -> NoReturn:
        """Hand records to `take`, partition by partition, until cancelled."""
        while True:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._bootstrap,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=250,
                max_poll_records=BATCH_RECORDS,
            )
            try:
                await consumer.start()
                await self._read(consumer, take)
            except (KafkaError, OSError) as error:
                log.warning("monitor_reads_again", error=type(error).__name__, seconds=RETRY_SECONDS)
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                await consumer.stop()

    async def _read(self, consumer: AIOKafkaConsumer, take: Take) -> NoReturn:
        consumer.assign(list(self._positions))
        for at, position in self._positions.items():
            consumer.seek(at, position)
        while True:
            for at, records in (await consumer.getmany(timeout_ms=500)).items():
                take(at, records)
                self._positions[at] = records[-1].offset + 1
            # What is there already is returned without a turn for others, such as who asks for the pages.
            await asyncio.sleep(0)
            if self.unread:
                # Of a log that ends with what is no record, such as the end of a transaction, only the consumer knows.
                self._positions = {at: await consumer.position(at) for at in self._positions}
                self._count_unread()

    def _count_unread(self) -> None:
        """Count the records that lay there at first and are yet to be read; once none is left, it stays so."""
        self.unread = sum(max(0, end - self._positions[at]) for at, end in self._ends.items())
