"""Reads a span of the log once, from known offsets to known ends, with no group and nothing committed."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

import numpy as np
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition

from risk.chunk import Chunk
from stream.raw_fetch import RawFetch
from stream.record_batches import FetchedRecords

Isolation = Literal["read_committed", "read_uncommitted"]

FETCH_BYTES = 24 << 20
"""More than the largest record of any topic."""


async def read_log(
    bootstrap: str,
    firsts: Mapping[KafkaPartition, int],
    *,
    ends: Mapping[KafkaPartition, int] | None = None,
    isolation: Isolation = "read_uncommitted",
) -> AsyncIterator[tuple[KafkaPartition, list[ConsumerRecord]]]:
    """Yield what lies in each partition from its first offset, or from what is left of it, to its present end.

    `ends` sets ends of its own, which the log must have reached: the first offsets that are not read any more.
    """
    if not firsts:
        return
    consumer = _consumer(bootstrap, isolation)
    async with _placed(consumer, firsts, ends) as finals:
        pending = {at for at in firsts if await consumer.position(at) < finals[at]}
        while pending:
            for at, records in (await consumer.getmany(*pending, timeout_ms=200)).items():
                within = records if records[-1].offset < finals[at] else _before(records, finals[at])
                if within:
                    yield at, within
            pending = {at for at in pending if await consumer.position(at) < finals[at]}


def _consumer(bootstrap: str, isolation: Isolation) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=isolation,
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_wait_ms=100,
    )


@asynccontextmanager
async def _placed(
    consumer: AIOKafkaConsumer, firsts: Mapping[KafkaPartition, int], ends: Mapping[KafkaPartition, int] | None
) -> AsyncIterator[Mapping[KafkaPartition, int]]:
    """Connect a consumer and place it at the first offsets; give the ends."""
    try:
        await consumer.start()
        consumer.assign(list(firsts))
        beginnings = await consumer.beginning_offsets(list(firsts))
        finals = await consumer.end_offsets(list(firsts)) if ends is None else ends
        for at, first in firsts.items():
            # `seek_to_beginning` races with the committed offset in aiokafka; a seek to a known offset does not.
            consumer.seek(at, max(beginnings[at], first))
        yield finals
    finally:
        await consumer.stop()


def _before(records: list[ConsumerRecord], end: int) -> list[ConsumerRecord]:
    return [record for record in records if record.offset < end]


async def read_columns(
    bootstrap: str, at: KafkaPartition, first: int, *, end: int | None = None, isolation: Isolation = "read_uncommitted"
) -> AsyncIterator[FetchedRecords]:
    """Yield what `read_log` does of one partition, in columns."""
    consumer = _consumer(bootstrap, isolation)
    raw = RawFetch(consumer)
    async with _placed(consumer, {at: first}, None if end is None else {at: end}) as finals:
        final = finals[at]
        while await consumer.position(at) < final:
            for records in (await raw.records({at}, 0.2)).values():
                within = int(np.searchsorted(records.offsets, final))
                if within == len(records):
                    yield records
                elif within:
                    yield records.split(within)[0]


async def read_chunks(
    bootstrap: str, topic: str, partition: int, first: int, end: int | None = None
) -> AsyncIterator[Chunk]:
    """Yield a partition's records from `first` up to, and without, `end` (its present end), by the chunk.

    None says that it is the last.
    """
    async for part in read_columns(bootstrap, KafkaPartition(topic, partition), first, end=end):
        yield part.chunk(topic, partition, caught_up=False)
