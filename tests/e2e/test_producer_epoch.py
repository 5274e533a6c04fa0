import asyncio
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaConnectionError, ProducerFenced
from aiokafka.protocol.coordination import FindCoordinatorRequest

from stream.broker_process import BrokerProcess
from stream.log_span import read_log
from stream.producer_epoch import mark, outlive_coordinators, write_under
from stream.topics import Topic, create_topics


class Owner:
    """An owner of a transactional id: one producer for transactions, one that writes under its epoch."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self._output, self._log = KafkaPartition(f"{name}-out", 0), KafkaPartition(f"{name}-log", 0)
        self.transactional = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name)
        self.direct = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)

    async def take_over(self) -> None:
        """Mark the output."""
        await self.transactional.start()
        write_under(await mark(self.transactional, [self._output], self._log), self.direct)
        await self.direct.start()

    async def write(self, value: bytes) -> None:
        """Write to the output, outside of any transaction."""
        await self.direct.send_and_wait(self._output.topic, value, partition=0)

    async def commit(self, value: bytes) -> None:
        """Write to the log, in a transaction."""
        async with self.transactional.transaction():
            await self.transactional.send_and_wait(self._log.topic, value, partition=0)

    async def stop(self) -> None:
        """Disconnect."""
        await self.direct.stop()
        await self.transactional.stop()


def test_the_broker_refuses_a_former_owner_from_the_mark_on(broker: BrokerProcess) -> None:
    """A former owner is refused as soon as the mark is made, before the new one wrote a record; readers see no gap."""

    async def scenario() -> None:
        name = f"epoch-{uuid4().hex[:8]}"
        await create_topics(broker.bootstrap, (Topic(f"{name}-out", 1, 1), Topic(f"{name}-log", 1, 1)))
        former, owner = Owner(broker.bootstrap, name), Owner(broker.bootstrap, name)
        await former.take_over()
        for value in (b"1", b"2"):
            await former.write(value)
            await former.commit(value)
        await owner.take_over()
        with pytest.raises(ProducerFenced):
            await former.write(b"too late")
        with pytest.raises(ProducerFenced):
            await former.commit(b"too late")
        await owner.write(b"3")
        await owner.commit(b"3")
        await owner.write(b"4")
        found = [
            record.value
            async for _, records in read_log(
                broker.bootstrap, {KafkaPartition(f"{name}-out", 0): 0}, isolation="read_committed"
            )
            for record in records
        ]
        assert found == [b"1", b"2", b"3", b"4"]
        await former.stop()
        await owner.stop()

    asyncio.run(scenario())


def test_records_are_readable_before_any_transaction_ends(broker: BrokerProcess) -> None:
    """What is written under an epoch is seen at once, by readers of committed records too, during a transaction."""

    async def scenario() -> None:
        name = f"epoch-{uuid4().hex[:8]}"
        await create_topics(broker.bootstrap, (Topic(f"{name}-out", 1, 1), Topic(f"{name}-log", 1, 1)))
        owner = Owner(broker.bootstrap, name)
        await owner.take_over()
        async with owner.transactional.transaction():
            await owner.transactional.send_and_wait(f"{name}-log", b"open", partition=0)
            await owner.write(b"1")
            at = KafkaPartition(f"{name}-out", 0)
            found = [records async for _, records in read_log(broker.bootstrap, {at: 0}, isolation="read_committed")]
            assert [record.value for records in found for record in records] == [b"1"]
        await owner.stop()

    asyncio.run(scenario())


def test_a_producer_outlives_the_broker_that_it_asks_for_its_coordinator(broker: BrokerProcess) -> None:
    """A connection that closes under the question is no end: the question is put again."""

    async def scenario() -> None:
        name = f"epoch-{uuid4().hex[:8]}"
        await create_topics(broker.bootstrap, (Topic(f"{name}-out", 1, 1), Topic(f"{name}-log", 1, 1)))
        owner = Owner(broker.bootstrap, name)
        outlive_coordinators(owner.transactional)
        await owner.take_over()
        client = owner.transactional.client
        send = client.send
        lost: list[Any] = []

        async def lose_first(node: int, request: Any, **options: Any) -> Any:
            if isinstance(request, FindCoordinatorRequest) and not lost:
                lost.append(request)
                raise KafkaConnectionError("closed")
            return await send(node, request, **options)

        client.send = lose_first
        owner.transactional._sender._coordinators.clear()
        await owner.commit(b"1")
        assert len(lost) == 1
        await owner.stop()

    asyncio.run(scenario())
