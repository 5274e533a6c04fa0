"""What an output partition already holds: after a crash, it is not written again."""

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

IDENTITY_HEADER = "riskstream-id"


async def published_identities(
    bootstrap: str, ends: dict[str, int | None], partition: int
) -> tuple[set[tuple[str, bytes]], dict[str, int]]:
    """Read each topic's partition from the offset given (None: from its beginning) to its end.

    Returns the identities found, as (topic, identity), and the end offset of each topic at the time of reading.
    """
    if not ends:
        return set(), {}
    wanted = {KafkaPartition(topic, partition): offset for topic, offset in ends.items()}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=24 << 20,
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    try:
        consumer.assign(list(wanted))
        beginnings = await consumer.beginning_offsets(list(wanted))
        finals = await consumer.end_offsets(list(wanted))
        for at, offset in wanted.items():
            # `seek_to_beginning` races with the committed offset in aiokafka; a seek to a known offset does not.
            consumer.seek(at, max(beginnings[at], offset or 0))
        found = set()
        pending = {at for at in wanted if await consumer.position(at) < finals[at]}
        while pending:
            for at, records in (await consumer.getmany(*pending, timeout_ms=200)).items():
                for record in records:
                    for name, value in record.headers:
                        if name == IDENTITY_HEADER:
                            found.add((at.topic, value))
            pending = {at for at in pending if await consumer.position(at) < finals[at]}
    finally:
        await consumer.stop()
    return found, {at.topic: end for at, end in finals.items()}
