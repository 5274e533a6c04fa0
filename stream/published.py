"""What an output partition already holds: after a crash, it is not written again."""

from collections import Counter

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

IDENTITY_HEADER = "riskstream-id"


async def published_identities(bootstrap: str, ends: dict[str, int], partition: int) -> Counter[tuple[str, bytes]]:
    """Read each topic's partition from the offset given to its end.

    Returns how often each (topic, identity) was found. An identity can occur more than once by right: a source that
    sends an event twice gets two equal outputs.
    """
    found: Counter[tuple[str, bytes]] = Counter()
    if not ends:
        return found
    wanted = {KafkaPartition(topic, partition): offset for topic, offset in ends.items()}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=24 << 20,
        fetch_max_wait_ms=100,
    )
    try:
        await consumer.start()
        consumer.assign(list(wanted))
        beginnings = await consumer.beginning_offsets(list(wanted))
        finals = await consumer.end_offsets(list(wanted))
        for at, offset in wanted.items():
            # `seek_to_beginning` races with the committed offset in aiokafka; a seek to a known offset does not.
            consumer.seek(at, max(beginnings[at], offset))
        pending = {at for at in wanted if await consumer.position(at) < finals[at]}
        while pending:
            for at, records in (await consumer.getmany(*pending, timeout_ms=200)).items():
                for record in records:
                    for name, value in record.headers:
                        if name == IDENTITY_HEADER:
                            found[at.topic, value] += 1
            pending = {at for at in pending if await consumer.position(at) < finals[at]}
    finally:
        await consumer.stop()
    return found
