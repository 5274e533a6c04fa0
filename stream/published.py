"""What an output partition already holds: after a crash, it is not written again."""

from collections import Counter

from aiokafka import TopicPartition as KafkaPartition

from stream.log_span import read_log

IDENTITY_HEADER = "riskstream-id"


async def published_identities(bootstrap: str, ends: dict[str, int], partition: int) -> Counter[tuple[str, bytes]]:
    """Read each topic's partition from the offset given to its end.

    Returns how often each (topic, identity) was found. An identity can occur more than once by right: a source that
    sends an event twice gets two equal outputs.
    """
    found: Counter[tuple[str, bytes]] = Counter()
    firsts = {KafkaPartition(topic, partition): offset for topic, offset in ends.items()}
    async for at, records in read_log(bootstrap, firsts):
        for record in records:
            for name, value in record.headers:
                if name == IDENTITY_HEADER:
                    found[at.topic, value] += 1
    return found
