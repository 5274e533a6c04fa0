"""Reads a span of the log once, from known offsets to known ends, with no group and nothing committed."""

from collections.abc import AsyncIterator, Mapping
from typing import Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition

from risk.chunk import Chunk

FETCH_BYTES = 24 << 20
"""More than the largest record of any topic."""


async def read_log(
    bootstrap: str,
    firsts: Mapping[KafkaPartition, int],
    *,
    ends: Mapping[KafkaPartition, int] | None = None,
    isolation: Literal["read_committed", "read_uncommitted"] = "read_uncommitted",
) -> AsyncIterator[tuple[KafkaPartition, list[ConsumerRecord]]]:
    """Yield what lies in each partition from its first offset, or from what is left of it, to its present end.

    `ends` sets ends of its own, which the log must have reached: the first offsets that are not read any more.
    """
    if not firsts:
        return
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=isolation,
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_wait_ms=100,
    )
    try:
        await consumer.start()
        consumer.assign(list(firsts))
        beginnings = await consumer.beginning_offsets(list(firsts))
        finals = await consumer.end_offsets(list(firsts)) if ends is None else dict(ends)
        for at, first in firsts.items():
            # `seek_to_beginning` races with the committed offset in aiokafka; a seek to a known offset does not.
            consumer.seek(at, max(beginnings[at], first))
        pending = {at for at in firsts if await consumer.position(at) < finals[at]}
        while pending:
            for at, records in (await consumer.getmany(*pending, timeout_ms=200)).items():
                within = records if records[-1].offset < finals[at] else _before(records, finals[at])
                if within:
                    yield at, within
            pending = {at for at in pending if await consumer.position(at) < finals[at]}
    finally:
        await consumer.stop()


def _before(records: list[ConsumerRecord], end: int) -> list[ConsumerRecord]:
    return [record for record in records if record.offset < end]


async def read_chunks(bootstrap: str, topic: str, partition: int, first: int, end: int) -> AsyncIterator[Chunk]:
    """Yield a partition's records from `first` up to, and without, `end`, by the chunk; none says it is the last."""
    at = KafkaPartition(topic, partition)
    async for _, records in read_log(bootstrap, {at: first}, ends={at: end}):
        yield Chunk.of(
            topic=topic,
            partition=partition,
            offsets=tuple(record.offset for record in records),
            keys=tuple(record.key for record in records),
            values=tuple(record.value for record in records),
            caught_up=False,
            timestamps_ms=tuple(record.timestamp for record in records),
        )
