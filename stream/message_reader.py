"""Reads a topic of messages, as a downstream consumer would."""

from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

Message = TypeVar("Message", bound=msgspec.Struct)


async def read_messages(
    kind: type[Message], bootstrap: str, topic: str, partitions: int, *, follow: bool
) -> AsyncIterator[Message]:
    """Yield every message of a kind in its topic, then, with `follow`, those that come, until cancelled.

    Reads without a group: it moves nobody's offsets. Raises aiokafka's KafkaError when the broker cannot be reached.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )
    try:
        await consumer.start()
        at_partitions = [KafkaPartition(topic, at) for at in range(partitions)]
        consumer.assign(at_partitions)
        beginnings = await consumer.beginning_offsets(at_partitions)
        ends = await consumer.end_offsets(at_partitions)
        for at in at_partitions:
            consumer.seek(at, beginnings[at])
        decoder = msgspec.json.Decoder(kind)
        while follow or any([await consumer.position(at) < ends[at] for at in at_partitions]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    yield decoder.decode(record.value)
    finally:
        await consumer.stop()
