"""How far every consumer group is behind, by what it has committed."""

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient


@dataclass(frozen=True, slots=True, order=True)
class GroupLag:
    """Records of a partition that a group has not committed yet; `committed` -1 where it has committed none there."""

    group: str
    topic: str
    partition: int
    committed: int
    end: int
    records: int


async def group_lags(bootstrap: str) -> dict[str, list[GroupLag]]:
    """Return the lags of each group that the broker knows, by its name, in order of topics and partitions.

    A group's are those of all partitions of each topic in which it has committed anything: where it has committed
    nothing, all that the partition holds is yet to come. A group that has committed nothing at all has none. Nothing is
    committed, no group is joined, and no topic made. Raises aiokafka's KafkaError when the broker cannot be asked.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        groups = sorted({str(found[0]) for found in await admin.list_consumer_groups()})
        committed = {group: await admin.list_consumer_group_offsets(group) for group in groups}
        # One that was deleted keeps its offsets for a while, and to ask for it again would make it anew.
        topics = {at.topic for offsets in committed.values() for at in offsets} & set(await admin.list_topics())
        partitions = await _partitions(admin, topics)
    finally:
        await admin.close()
    beginnings, ends = await _bounds(bootstrap, partitions)
    lags: dict[str, list[GroupLag]] = {}
    for group, offsets in committed.items():
        read = {at.topic for at, found in offsets.items() if found.offset >= 0}
        lags[group] = [
            _lag(group, at, offsets[at].offset if at in offsets else -1, beginnings[at], ends[at])
            for at in partitions
            if at.topic in read
        ]
    return lags


def _lag(group: str, at: KafkaPartition, committed: int, beginning: int, end: int) -> GroupLag:
    # What was deleted by its age before the group came to it is not to come any more.
    return GroupLag(group, at.topic, at.partition, committed, end, max(0, end - max(committed, beginning)))


async def _partitions(admin: AIOKafkaAdminClient, topics: set[str]) -> list[KafkaPartition]:
    if not topics:
        return []
    found = await admin.describe_topics(sorted(topics))
    return sorted(
        KafkaPartition(topic["topic"], partition["partition"]) for topic in found for partition in topic["partitions"]
    )


async def _bounds(
    bootstrap: str, partitions: list[KafkaPartition]
) -> tuple[dict[KafkaPartition, int], dict[KafkaPartition, int]]:
    """Return the first offset of each partition, and the one after its last."""
    if not partitions:
        return {}, {}
    # One for each time: a client that lives on asks for topics that were deleted since, and makes them anew.
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        return await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    finally:
        await consumer.stop()
