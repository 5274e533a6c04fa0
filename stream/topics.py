"""The topics: which there are, how each is kept, and how they are made before anyone subscribes."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

INPUT_BYTES = 12 * 1024 * 1024
"""The largest message taken in: one of 10 MB that nobody can use still gets its answer, a dead letter."""

DEAD_LETTER_BYTES = 20 * 1024 * 1024
"""The largest dead letter: the largest input in base64, and what is told about it."""

_INPUT = {"max.message.bytes": str(INPUT_BYTES)}
_DEAD_LETTER = {"max.message.bytes": str(DEAD_LETTER_BYTES)}
# A restore reads the whole partition: compact early, in small segments, for the newest is never compacted.
_CHANGELOG = {
    "cleanup.policy": "compact",
    "min.cleanable.dirty.ratio": "0.2",
    "segment.bytes": str(64 * 1024 * 1024),
    "max.message.bytes": str(DEAD_LETTER_BYTES),
}
_CONFIGS: dict[str, dict[str, str]] = {
    "transactions": _INPUT,
    "labels": _INPUT,
    "ticks": _INPUT,
    "applications": _INPUT,
    "rates": _INPUT,
    "positions": _INPUT,
    "merchant-events": {},
    "market-events": {},
    "alerts": {},
    "scores": {},
    "volatility": {},
    "forecasts": {},
    "curves": {},
    "portfolio-risk": {},
    "decisions": {},
    "deadletter": _DEAD_LETTER,
    "forward-deadletter": _DEAD_LETTER,
    "changelog-customers": _CHANGELOG,
    "changelog-merchants": _CHANGELOG,
    "changelog-labels": _CHANGELOG,
    "changelog-ticks": _CHANGELOG,
    "changelog-rates": _CHANGELOG,
    "changelog-positions": _CHANGELOG,
    "changelog-portfolios": _CHANGELOG,
    "changelog-applications": _CHANGELOG,
}


class TopicError(RuntimeError):
    """A topic cannot be made, or is there in another shape; the message names it and the remedy."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it shall be; `config` holds the topic settings that are not left to the broker."""

    name: str
    partitions: int
    replication_factor: int
    config: dict[str, str] = field(default_factory=dict)


def topics(prefix: str, partitions: int, replication: int) -> tuple[Topic, ...]:
    """Return every topic of riskstream.

    All have the same number of partitions: what goes out keeps the partition of what came in.

    >>> [topic.name for topic in topics("eu.", 4, 1)][:3]
    ['eu.transactions', 'eu.labels', 'eu.ticks']
    """
    return tuple(Topic(prefix + name, partitions, replication, config) for name, config in _CONFIGS.items())


async def create_topics(bootstrap: str, wanted: Sequence[Topic], timeout_seconds: float = 30.0) -> None:
    """Make the topics that do not exist, and return once every partition of every topic has a leader.

    A topic that exists is left as it is, but must have as many partitions as wanted. Raises TopicError when
    it has not, when the broker refuses a topic, or when leaders are still missing after `timeout_seconds`;
    and aiokafka's KafkaConnectionError when no broker answers at `bootstrap` (host:port).

        asyncio.run(create_topics("127.0.0.1:9092", topics("", partitions=4, replication=1)))
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        await _create(admin, wanted)
        await _wait_for_leaders(admin, wanted, timeout_seconds)
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, wanted: Sequence[Topic]) -> None:
    response = await admin.create_topics(
        [
            NewTopic(topic.name, topic.partitions, topic.replication_factor, topic_configs=topic.config)
            for topic in wanted
        ]
    )
    for name, code, message in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise TopicError(f"topic {name!r} was not made: {message or error.description} ({error.__name__})")


async def _wait_for_leaders(admin: AIOKafkaAdminClient, wanted: Sequence[Topic], timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    waiting = list(wanted)
    while True:
        found = {topic["topic"]: topic for topic in await admin.describe_topics([t.name for t in waiting])}
        waiting = [topic for topic in waiting if not _is_ready(topic, found[topic.name])]
        if not waiting:
            return
        if time.monotonic() > deadline:
            names = ", ".join(topic.name for topic in waiting)
            raise TopicError(
                f"after {timeout_seconds:g} s some partitions of {names} have no leader: see the broker's log"
            )
        await asyncio.sleep(0.05)


def _is_ready(topic: Topic, found: dict[str, Any]) -> bool:
    if found["error_code"]:
        return False
    has = len(found["partitions"])
    if has != topic.partitions:
        raise TopicError(
            f"topic {topic.name!r} has {has} partitions, {topic.partitions} are wanted: set partitions to "
            f"{has}, or choose another topic prefix, or delete the topic and what it holds"
        )
    return all(not one["error_code"] and one["leader"] >= 0 for one in found["partitions"])
