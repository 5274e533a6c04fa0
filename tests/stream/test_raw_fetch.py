"""aiokafka's own fetcher, with a broker that a test writes, and our reading of what it fetched."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder

from stream.raw_fetch import PARTITION_RECORDS, RawFetch

LEFT, RIGHT = TopicPartition("transactions", 0), TopicPartition("transactions", 1)
FETCH_BATCHES = 3

Log = list[tuple[int, int, bytes]]
"""Batches: the offset of the first record, the one after the last, and the bytes."""


def log_of(counts: list[int]) -> Log:
    """Return batches of so many records, each of which has its offset as its key."""
    log: Log = []
    base = 0
    for count in counts:
        builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 24)
        for at in range(count):
            builder.append(at, 1_000 + at, b"%d" % (base + at), b"value", [])
        log.append((base, base + count, struct.pack(">q", base) + bytes(builder.build())[8:]))
        base += count
    return log


class Reading:
    """A consumer of partitions from offset 0 on, as `RawFetch` sees one."""

    def __init__(self, logs: dict[TopicPartition, Log]) -> None:
        self._logs = logs
        cluster = SimpleNamespace(leader_for_partition=lambda at: 0, broker_metadata=lambda node: None)
        self._client: Any = SimpleNamespace(
            _loop=asyncio.get_running_loop(), _metadata_max_age_ms=1_000_000, cluster=cluster, send=self._answer
        )
        subscription = SubscriptionState()
        subscription.assign_from_user(list(logs))
        self.assignment = subscription.subscription.assignment
        for at in logs:
            self.assignment.state_value(at).seek(0)
        self.raw = RawFetch(self)
        self._fetcher = Fetcher(self._client, subscription)

    async def _answer(self, node_id: int, request: Any) -> Any:
        topics = []
        for topic, partitions in request.topics:
            parts: list[tuple[Any, ...]] = []
            for partition, offset, _ in partitions:
                log = self._logs[TopicPartition(topic, partition)]
                batches = [batch for _, end, batch in log if end > offset][:FETCH_BATCHES]
                parts.append((partition, 0, log[-1][1] if log else 0, 0, [], b"".join(batches)))
            topics.append((topic, parts))
        await asyncio.sleep(0.001 if any(part[-1] for _, parts in topics for part in parts) else 0.02)
        return SimpleNamespace(API_VERSION=4, topics=topics)

    async def everything(
        self, wanted: set[TopicPartition], seconds: float = 0.5
    ) -> dict[TopicPartition, list[list[bytes | None]]]:
        """Return the keys of every chunk until nothing came for a while."""
        found: dict[TopicPartition, list[list[bytes | None]]] = {at: [] for at in wanted}
        while records := await self.raw.records(wanted, seconds):
            for at, part in records.items():
                found[at].append(list(part.keys))
        return found

    async def close(self) -> None:
        """End the fetcher."""
        await self._fetcher.close()


def reading(logs: dict[TopicPartition, Log], act: Callable[[Reading], Awaitable[None]]) -> None:
    """Run a test on a consumer of some logs."""

    async def run() -> None:
        one = Reading(logs)
        try:
            await act(one)
        finally:
            await one.close()

    asyncio.run(run())


def keys_of(end: int, first: int = 0) -> list[bytes]:
    """Return the keys of the records from an offset up to another."""
    return [b"%d" % at for at in range(first, end)]


def test_every_record_comes_once_in_its_order_and_none_makes_a_chunk_too_long() -> None:
    """Fetches larger than a chunk are given out by the part, partition by partition, to the end of each log."""

    async def act(consumer: Reading) -> None:
        found = await consumer.everything({LEFT, RIGHT})
        assert [key for part in found[LEFT] for key in part] == keys_of(11_000)
        assert [key for part in found[RIGHT] for key in part] == keys_of(40)
        assert max(map(len, found[LEFT])) == PARTITION_RECORDS
        assert consumer.assignment.state_value(LEFT).position == 11_000

    reading({LEFT: log_of([5_000, 5_000, 1_000]), RIGHT: log_of([10] * 4)}, act)


def test_a_full_partition_does_not_keep_another_waiting() -> None:
    """While much of one partition is left to give out, what came of another goes with the first part of it."""

    async def act(consumer: Reading) -> None:
        first = await consumer.raw.records({LEFT, RIGHT}, 1.0)
        assert {at: len(part) for at, part in first.items()} == {LEFT: PARTITION_RECORDS, RIGHT: 10}

    reading({LEFT: log_of([9_000]), RIGHT: log_of([10])}, act)


def test_what_is_not_asked_for_stays() -> None:
    """A partition that is held back gives nothing, and all of it when it is asked for again."""

    async def act(consumer: Reading) -> None:
        assert list((await consumer.everything({LEFT}))[LEFT]) == [keys_of(10)]
        assert consumer.assignment.state_value(RIGHT).position == 0
        assert [key for part in (await consumer.everything({RIGHT}))[RIGHT] for key in part] == keys_of(20)

    reading({LEFT: log_of([10]), RIGHT: log_of([20])}, act)


def test_a_seek_discards_what_was_fetched_before_it() -> None:
    """After a seek amid a long fetch, reading goes on at the new position alone."""

    async def act(consumer: Reading) -> None:
        assert len((await consumer.raw.records({LEFT}, 1.0))[LEFT]) == PARTITION_RECORDS
        consumer.assignment.state_value(LEFT).seek(8_990)
        assert [key for part in (await consumer.everything({LEFT}))[LEFT] for key in part] == keys_of(9_000, 8_990)

    reading({LEFT: log_of([9_000])}, act)


def test_batches_of_an_older_format_are_read_all_the_same() -> None:
    """What was written for brokers before version 0.11 comes through aiokafka's own reading."""

    async def act(consumer: Reading) -> None:
        builder = LegacyRecordBatchBuilder(1, 0, 1 << 20)
        for at in range(3):
            builder.append(at, timestamp=5, key=b"%d" % at, value=b"v")
        consumer._logs[LEFT] = [(0, 3, bytes(builder.build()))]
        assert (await consumer.everything({LEFT}))[LEFT] == [keys_of(3)]

    reading({LEFT: []}, act)
