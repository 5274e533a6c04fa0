"""Asks Kafka, over and over, how far the application's group is behind."""

import asyncio

import msgspec
import structlog
from aiokafka.errors import KafkaError

from stream.group_lag import group_lags

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 3.0
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
        async with asyncio.timeout(TIMEOUT_SECONDS):
            lags = await group_lags(self._bootstrap)
        behind: dict[str, list[int]] = {}
        for lag in lags.get(self._group, []):
            behind.setdefault(lag.topic, []).append(lag.records)
        self.topics = [TopicLag(topic, len(found), sum(found), max(found)) for topic, found in sorted(behind.items())]
        self.broker_answers = self.asked = True
