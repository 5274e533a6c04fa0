"""What a consumer has fetched, taken as bytes before aiokafka makes an object of each record.

aiokafka's fetcher keeps all that makes a consumer right: which partitions are asked for, where their positions are,
what a rebalance discards. Only the last step is ours, from a partition's bytes to its records.
"""

import asyncio
import time
from collections.abc import Collection
from typing import Any

import aiokafka
import numpy as np
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import READ_COMMITTED, FetchResult, PartitionRecords
from aiokafka.protocol.fetch import FetchRequest

from risk.byte_slices import BytesColumn
from stream.fetch_pacing import FetchPacing
from stream.record_batches import FetchedRecords, read_record_batches

PARTITION_RECORDS = 4096
"""A chunk has at most so many records: one partition does not hold up the others for longer."""

ROUND_RECORDS = 4 * PARTITION_RECORDS


class RawFetch:
    """The records that an aiokafka consumer has fetched and not given out yet."""

    def __init__(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._send = consumer._client.send
        self._pacing = FetchPacing(time.monotonic())
        self._fetched: dict[TopicPartition, tuple[int, bytes]] = {}
        self._wanting = False
        self._read: dict[TopicPartition, tuple[FetchResult, FetchedRecords]] = {}
        consumer._client.send = self._keep_bytes

    async def _keep_bytes(self, node_id: int, request: Any, **options: Any) -> Any:
        response = await self._send(node_id, request, **options)
        if isinstance(request, FetchRequest):
            asked = {(topic, part[0]): part[1] for topic, parts in request.topics for part in parts}
            for topic, partitions in response.topics:
                for partition, _, _, *rest in partitions:
                    self._fetched[TopicPartition(topic, partition)] = (asked[topic, partition], rest[-1])
        return response

    async def records(
        self, partitions: Collection[TopicPartition] | None, timeout_seconds: float
    ) -> dict[TopicPartition, FetchedRecords]:
        """Return what was fetched of some partitions, or of all, and move their positions; wait for it if need be.

        Raises what the fetcher met: KafkaError.
        """
        fetcher = self._consumer._fetcher
        until = time.monotonic() + timeout_seconds
        while True:
            if fetcher._subscriptions.reassignment_in_progress:
                # What was fetched so far may belong to somebody else by now.
                await fetcher._subscriptions.wait_for_assignment()
            found = self._drain(fetcher, partitions)
            if found:
                self._pacing.fetched(sum(map(len, found.values())), time.monotonic())
            self._ask_for_more(fetcher)
            left_seconds = until - time.monotonic()
            if found or left_seconds <= 0:
                return found
            waiter = fetcher._create_fetch_waiter()
            done, pending = await asyncio.wait([waiter], timeout=left_seconds)
            for one in pending:
                one.cancel()
            if not done or fetcher._closed:
                return {}
            waiter.result()

    def _drain(
        self, fetcher: Any, partitions: Collection[TopicPartition] | None
    ) -> dict[TopicPartition, FetchedRecords]:
        found: dict[TopicPartition, FetchedRecords] = {}
        room = ROUND_RECORDS
        for at in list(fetcher._records):
            if partitions is not None and at not in partitions:
                if not fetcher._subscriptions.is_assigned(at):
                    self._forget(fetcher, at)
                continue
            result = fetcher._records[at]
            if type(result) is not FetchResult:
                if found:
                    # It is raised when what is good has been given out.
                    break
                self._forget(fetcher, at)
                result.check_raise()
            records = self._take(at, result)
            if not result.has_more():
                self._forget(fetcher, at)
            else:
                # The others come first in the next round.
                fetcher._records.move_to_end(at)
            if records is None:
                continue
            found[at] = records
            room -= len(records)
            if room <= 0:
                break
        return found

    def _forget(self, fetcher: Any, at: TopicPartition) -> None:
        del fetcher._records[at]
        self._fetched.pop(at, None)
        self._read.pop(at, None)
        self._wanting = True

    def _ask_for_more(self, fetcher: Any) -> None:
        """Let the fetcher send its next request once some records may have gathered."""
        if not self._wanting:
            return
        self._wanting = False
        wait_seconds = self._pacing.wait_seconds(time.monotonic())
        if wait_seconds > 0.0:
            asyncio.get_running_loop().call_later(wait_seconds, self._wake, fetcher)
        else:
            self._wake(fetcher)

    @staticmethod
    def _wake(fetcher: Any) -> None:
        fetcher._notify(fetcher._wait_consume_future)

    def _take(self, at: TopicPartition, result: FetchResult) -> FetchedRecords | None:
        """Return the next records of a partition and move its position; None where there are none to give out."""
        if not result.has_more() or not result.check_assignment(at):
            return None
        source = result._partition_records
        read = self._read.pop(at, None)
        records = read[1] if read is not None and read[0] is result else self._parsed(at, source)
        if records is None:
            return _by_objects(result)
        rest = None
        if len(records) > PARTITION_RECORDS:
            records, rest = records.split(PARTITION_RECORDS)
            self._read[at] = (result, rest)
        source.next_fetch_offset = records.next_offset
        result._update_position()
        if rest is None:
            result._partition_records = None
        return records if len(records) else None

    def _parsed(self, at: TopicPartition, source: PartitionRecords) -> FetchedRecords | None:
        asked, data = self._fetched.pop(at, (-1, b""))
        if asked != source.next_fetch_offset:
            return None
        return read_record_batches(
            data, asked, source._aborted_transactions if source._isolation_level == READ_COMMITTED else ()
        )


def _by_objects(result: FetchResult) -> FetchedRecords | None:
    """Return the next records of a partition whose batches have an older format, by aiokafka's own reading."""
    records = result.getall(PARTITION_RECORDS)
    if not records:
        return None
    return FetchedRecords(
        np.array([record.offset for record in records], dtype=np.int64),
        np.array([-1 if record.timestamp is None else record.timestamp for record in records], dtype=np.int64),
        BytesColumn.of([record.key for record in records]),
        BytesColumn.of([record.value for record in records]),
        records[-1].offset + 1,
    )
