import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from stream.broker_process import BrokerProcess, free_port
from stream.topics import DEAD_LETTER_BYTES, INPUT_BYTES, Topic, TopicError, create_topics, topics


async def _partitions(bootstrap: str, names: list[str]) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    described = await admin.describe_topics(names)
    await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


async def _config(bootstrap: str, topic: str) -> dict[str, str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    await admin.close()
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def _echo(bootstrap: str, topic: str, size_bytes: int) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=64 * 1024 * 1024)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await producer.start()
    await consumer.start()
    try:
        sent = await producer.send_and_wait(topic, b"x" * size_bytes, partition=0)
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, sent.offset)
        record = await asyncio.wait_for(consumer.getone(), 20)
        return len(record.value)
    finally:
        await producer.stop()
        await consumer.stop()


def test_makes_every_topic_as_described(broker: BrokerProcess) -> None:
    """On an empty broker every topic is there afterwards, with its partitions and its settings."""
    wanted = topics("made.", 3, 1)
    asyncio.run(create_topics(broker.bootstrap, wanted))
    found = asyncio.run(_partitions(broker.bootstrap, [topic.name for topic in wanted]))
    assert found == {topic.name: 3 for topic in wanted}
    for topic in wanted:
        config = asyncio.run(_config(broker.bootstrap, topic.name))
        assert topic.config.items() <= config.items(), topic.name


def test_every_partition_takes_messages(broker: BrokerProcess) -> None:
    """As soon as topics are made, every partition can be written."""

    async def create_and_send() -> list[int]:
        await create_topics(broker.bootstrap, [Topic("writable", 16, 1)])
        producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
        await producer.start()
        sent = [await producer.send_and_wait("writable", b"x", partition=partition) for partition in range(16)]
        await producer.stop()
        return [record.offset for record in sent]

    assert asyncio.run(asyncio.wait_for(create_and_send(), 30)) == [0] * 16


def test_making_topics_again_changes_nothing(broker: BrokerProcess) -> None:
    """Topics that exist are left as they are, also when several workers make them at the same time."""
    wanted = topics("again.", 2, 1)

    async def three_workers() -> None:
        await asyncio.gather(*(create_topics(broker.bootstrap, wanted) for _ in range(3)))

    asyncio.run(three_workers())
    asyncio.run(create_topics(broker.bootstrap, wanted))
    found = asyncio.run(_partitions(broker.bootstrap, [topic.name for topic in wanted]))
    assert set(found.values()) == {2}


def test_another_number_of_partitions_is_refused(broker: BrokerProcess) -> None:
    """A topic with other partitions than wanted is an error that names it, both numbers and the remedy."""
    asyncio.run(create_topics(broker.bootstrap, [Topic("grown", 2, 1)]))
    with pytest.raises(TopicError, match=r"'grown' has 2 partitions, 4 are wanted: set partitions to 2"):
        asyncio.run(create_topics(broker.bootstrap, [Topic("grown", 4, 1)]))
    assert asyncio.run(_partitions(broker.bootstrap, ["grown"])) == {"grown": 2}


def test_a_topic_the_broker_refuses_is_an_error(broker: BrokerProcess) -> None:
    """More copies than brokers, or a setting that does not exist, is an error with the broker's reason."""
    with pytest.raises(TopicError, match=r"'copies' was not made: .*replica"):
        asyncio.run(create_topics(broker.bootstrap, [Topic("copies", 1, 3)]))
    with pytest.raises(TopicError, match=r"'setting' was not made: .*no\.such\.setting"):
        asyncio.run(create_topics(broker.bootstrap, [Topic("setting", 1, 1, {"no.such.setting": "1"})]))


def test_no_broker_is_an_error() -> None:
    """Where no broker answers, that is said rather than waited for."""
    with pytest.raises(KafkaConnectionError):
        asyncio.run(create_topics(f"127.0.0.1:{free_port()}", topics("", 1, 1)))


def test_partitions_without_leaders_are_given_up(embedded: BrokerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic that gets no leaders in the time allowed is an error that names it."""

    async def leaderless(_: AIOKafkaAdminClient, names: list[str]) -> list[dict[str, object]]:
        partition = {"error_code": 5, "leader": -1}
        return [{"topic": name, "error_code": 0, "partitions": [partition]} for name in names]

    monkeypatch.setattr(AIOKafkaAdminClient, "describe_topics", leaderless)
    with pytest.raises(TopicError, match=r"after 0 s some partitions of late have no leader"):
        asyncio.run(create_topics(embedded.bootstrap, [Topic("late", 1, 1)], timeout_seconds=0))


def test_the_largest_messages_fit(broker: BrokerProcess) -> None:
    """An input of almost 12 MiB and a dead letter of almost 20 MiB go through; a larger one is refused."""
    overhead_bytes = 1024
    asyncio.run(create_topics(broker.bootstrap, topics("large.", 1, 1)))
    for name, limit_bytes in (("large.transactions", INPUT_BYTES), ("large.deadletter", DEAD_LETTER_BYTES)):
        size_bytes = limit_bytes - overhead_bytes
        assert asyncio.run(_echo(broker.bootstrap, name, size_bytes)) == size_bytes
        with pytest.raises(MessageSizeTooLargeError):
            asyncio.run(_echo(broker.bootstrap, name, limit_bytes))


def test_a_topic_made_twice_keeps_its_settings(broker: BrokerProcess) -> None:
    """What an operator set on a topic is not overwritten by a worker that starts."""

    async def make_by_hand() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("by-hand.alerts", 1, 1, topic_configs={"retention.ms": "1234000"})])
        await admin.close()

    asyncio.run(make_by_hand())
    asyncio.run(create_topics(broker.bootstrap, topics("by-hand.", 1, 1)))
    assert asyncio.run(_config(broker.bootstrap, "by-hand.alerts"))["retention.ms"] == "1234000"
