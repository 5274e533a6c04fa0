import asyncio
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition

from risk.partitioner import partitions_of
from stream.broker_process import BrokerProcess
from stream.outbox import Outbox, OutboxError, Record
from stream.publisher import publish
from stream.topics import Topic, create_topics

PARTITIONS = 3


async def make_topic(broker: BrokerProcess, **config: str) -> str:
    """Make a topic of the test's own and return its name."""
    name = f"outbox-{uuid4().hex[:8]}"
    await create_topics(broker.bootstrap, [Topic(name, PARTITIONS, 1, config)])
    return name


async def read(broker: BrokerProcess, topic: str, count: int) -> dict[int, list[tuple[bytes | None, bytes | None]]]:
    """Return (key, value) of the topic's records by partition, once `count` are there."""
    found: dict[int, list[tuple[bytes | None, bytes | None]]] = {at: [] for at in range(PARTITIONS)}
    consumer = AIOKafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([KafkaPartition(topic, at) for at in found])
        async with asyncio.timeout(30):
            while sum(map(len, found.values())) < count:
                for at, records in (await consumer.getmany(timeout_ms=100)).items():
                    found[at.partition] += [(record.key, record.value) for record in records]
    finally:
        await consumer.stop()
    return found


def test_records_arrive_in_order_and_the_fence_tells_where_they_end(broker: BrokerProcess) -> None:
    """20,000 records of any size arrive once and in order on each lane, and the ends are the logs' own."""

    async def scenario() -> None:
        topic = await make_topic(broker)
        outbox = Outbox(broker.bootstrap, client_id="test")
        await outbox.start()
        for number in range(20_000):
            size = 100_000 if number % 2_000 == 0 else number % 50
            outbox.append(topic, number % 2, Record(None, b"%d " % number + b"x" * size))
        ends = await outbox.delivered(outbox.fence())
        assert ends == {(topic, 0): 10_000, (topic, 1): 10_000}
        assert outbox.backlog() == 0
        await outbox.stop()
        found = await read(broker, topic, 20_000)
        for lane in (0, 1):
            assert [int((value or b"").split()[0]) for _, value in found[lane]] == list(range(lane, 20_000, 2))
        assert found[2] == []

    asyncio.run(scenario())


def test_a_fence_ends_where_it_was_set_whatever_came_after(broker: BrokerProcess) -> None:
    """The offset told for a fence is that of the first record appended after it, also if that is delivered by then."""

    async def scenario() -> None:
        topic = await make_topic(broker)
        outbox = Outbox(broker.bootstrap, client_id="test")
        await outbox.start()
        fences = []
        for number in range(3_000):
            outbox.append(topic, 0, Record(None, b"%d" % number))
            if number % 7 == 0:
                fences.append((number + 1, outbox.fence()))
            if number % 500 == 0:
                await asyncio.sleep(0.01)
        await outbox.delivered(outbox.fence())
        for count, fence in fences:
            assert await outbox.delivered(fence) == {(topic, 0): count}
        await outbox.stop()

    asyncio.run(scenario())


def test_a_record_that_cannot_be_delivered_is_told_to_everyone(kafka: BrokerProcess) -> None:
    """A record beyond the topic's limit fails the fence, and whoever appends or waits for room after it."""

    async def scenario() -> None:
        topic = await make_topic(kafka, **{"max.message.bytes": "1000"})
        outbox = Outbox(kafka.bootstrap, client_id="test")
        await outbox.start()
        try:
            outbox.append(topic, 0, Record(None, b"small"))
            assert await outbox.delivered(outbox.fence()) == {(topic, 0): 1}
            outbox.append(topic, 0, Record(None, b"x" * 5_000))
            with pytest.raises(OutboxError, match="MessageSizeTooLarge"):
                async with asyncio.timeout(30):
                    await outbox.delivered(outbox.fence())
            with pytest.raises(OutboxError):
                outbox.append(topic, 1, Record(None, b"later"))
            with pytest.raises(OutboxError):
                await outbox.room(0)
        finally:
            await outbox.stop()
        assert await read(kafka, topic, 1) == {0: [(None, b"small")], 1: [], 2: []}

    asyncio.run(scenario())


@pytest.mark.parametrize("rate", [None, 20_000.0])
def test_messages_are_published_by_key_in_order(broker: BrokerProcess, rate: float | None) -> None:
    """At a rate or without one, each key's messages lie in its partition in their order, and progress adds up."""

    async def scenario() -> None:
        topic = await make_topic(broker)
        outbox = Outbox(broker.bootstrap, client_id="test")
        await outbox.start()
        messages = [(f"key-{number % 17}", b"%d" % number) for number in range(5_000)]
        progress: list[int] = []
        sent = await publish(outbox, topic, PARTITIONS, messages, rate_per_second=rate, on_sent=progress.append)
        await outbox.stop()
        assert sent == sum(progress) == len(messages)
        found = await read(broker, topic, len(messages))
        places = partitions_of([key for key, _ in messages], PARTITIONS).tolist()
        for at in range(PARTITIONS):
            assert found[at] == [
                (key.encode(), value) for (key, value), place in zip(messages, places, strict=True) if place == at
            ]

    asyncio.run(scenario())
