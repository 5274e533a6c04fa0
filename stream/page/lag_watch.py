"""Asks Kafka, over and over, how far the application's group is behind."""

import asyncio
import time

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 2.0
TIMEOUT_SECONDS = 5.0


class TopicLag(msgspec.Struct, frozen=True):
    """Records of a topic that the group has not committed yet, of all partitions and of the worst."""

    topic: str
    partitions: int
    lag_records: int
    worst_partition_lag_records: int


class LagWatch:
    """The lag by topic, and whether the broker answers."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self.topics: list[TopicLag] = []
        self.broker_answers = False
        self.asked = False

    async def follow(self) -> None:
        """Ask until cancelled; a broker that is away is tried again."""
        while True:
            try:
                await self._ask()
            except (KafkaError, OSError, TimeoutError) as error:
                if self.broker_answers or not self.asked:
                    log.warning("lag_not_known", error=type(error).__name__)
                self.broker_answers = False
                self.asked = True
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _ask(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, client_id="riskstream-page-lag")
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, client_id="riskstream-page-lag", enable_auto_commit=False
        )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await admin.start()
                await consumer.start()
            while True:
                began = time.monotonic()
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    committed = await admin.list_consumer_group_offsets(self._group)
                    ends = await consumer.end_offsets(list(committed)) if committed else {}
                behind: dict[str, list[int]] = {}
                for at, end in ends.items():
                    behind.setdefault(at.topic, []).append(max(0, end - max(0, committed[at].offset)))
                self.topics = [
                    TopicLag(topic, len(lags), sum(lags), max(lags)) for topic, lags in sorted(behind.items())
                ]
                self.broker_answers = self.asked = True
                await asyncio.sleep(max(0.1, INTERVAL_SECONDS - (time.monotonic() - began)))
        finally:
            await asyncio.gather(admin.close(), consumer.stop(), return_exceptions=True)
