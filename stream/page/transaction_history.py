"""A customer's transactions before an alert, read from the log when someone asks."""

import asyncio
from collections import deque

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from schemas.source import Source
from schemas.transaction import Transaction
from stream.log_span import read_log
from stream.page.request_error import RequestError
from stream.page.topic_partitions import partitions_by_topic

MOST_RECORDS = 20_000
"""Records of the partition before the alert's that are looked through."""
MOST_TRANSACTIONS = 60
TIMEOUT_SECONDS = 10.0
AT_ONCE = 4


class PastTransaction(msgspec.Struct, frozen=True, gc=False):
    """A transaction; `event_time_ms` is in milliseconds since the Unix epoch, `alerted` that it is the alert's own."""

    transaction_id: str
    merchant_id: str
    amount: float
    currency: str
    event_time_ms: int
    alerted: bool


class TransactionHistory:
    """Reads the topic of transactions; few readings go on at once, and none for long."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def before(self, source: Source, customer: str) -> list[PastTransaction]:
        """Return the customer's last transactions up to the one at a place in the log, the oldest first.

        Of another topic there is none. Raises RequestError, of status 503, when Kafka does not answer in time.
        """
        if source.topic != self._topic or source.offset < 0 or source.partition < 0:
            return []
        try:
            async with self._turns, asyncio.timeout(TIMEOUT_SECONDS):
                return await self._read(source, customer)
        except (KafkaError, OSError, TimeoutError):
            raise RequestError(
                503, "history", self._topic, "try again: Kafka did not give the transactions in time"
            ) from None

    async def _read(self, source: Source, customer: str) -> list[PastTransaction]:
        at = KafkaPartition(self._topic, source.partition)
        end = await self._end(at, source.offset + 1)
        found: deque[PastTransaction] = deque(maxlen=MOST_TRANSACTIONS)
        if end <= 0:
            return []
        # Most records are of others: what does not hold the name as it is written is not decoded.
        written = msgspec.json.encode(customer)
        plain = written[1:-1] if customer.isascii() else b""
        async for _, records in read_log(self._bootstrap, {at: max(0, end - MOST_RECORDS)}, ends={at: end}):
            for record in records:
                if record.value is not None and plain in record.value:
                    one = _transaction(record.value)
                    if one is not None and one.customer_id == customer:
                        found.append(_past(one, record.offset == source.offset))
            await asyncio.sleep(0)
        return list(found)

    async def _end(self, at: KafkaPartition, wanted: int) -> int:
        """Return an end that the partition has reached; 0 where there is no such partition, or all of it is gone."""
        if at.partition >= (await partitions_by_topic(self._bootstrap, (at.topic,))).get(at.topic, 0):
            return 0
        consumer = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, enable_auto_commit=False)
        try:
            await consumer.start()
            end = min(wanted, (await consumer.end_offsets([at]))[at])
            return end if end > (await consumer.beginning_offsets([at]))[at] else 0
        finally:
            await consumer.stop()


_decoder = msgspec.json.Decoder(Transaction)


def _transaction(value: bytes) -> Transaction | None:
    try:
        return _decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _past(one: Transaction, alerted: bool) -> PastTransaction:
    return PastTransaction(
        one.transaction_id, one.merchant_id, one.amount, one.currency, one.event_time_ns // 1_000_000, alerted
    )
