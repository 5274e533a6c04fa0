"""How many partitions topics have, without making one that is not there."""

from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient


async def partitions_by_topic(bootstrap: str, topics: Iterable[str]) -> dict[str, int]:
    """Return the number of partitions of those topics that are there.

    Raises aiokafka's KafkaError when the broker cannot be reached.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id="riskstream-page")
    try:
        await admin.start()
        # All are asked for: a broker may make a topic that is asked for by its name.
        found = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics()}
    finally:
        await admin.close()
    return {topic: found[topic] for topic in topics if found.get(topic)}
