"""Work that needs the broker, done again while there is none: an outage is waited for, it ends no worker.

A client that runs waits for its broker by itself; one that is just connecting raises.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from aiokafka.errors import KafkaError, KafkaTimeoutError

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.5

T = TypeVar("T")


async def patiently(work: Callable[[], Awaitable[T]], *, job: str, partition: int) -> T:
    """Return what `work()` returns, which is begun anew while it fails in a way that Kafka's clients call retriable.

    Raises whatever else it raises.
    """
    while True:
        try:
            return await work()
        except KafkaError as error:
            if not (error.retriable or isinstance(error, KafkaTimeoutError)):
                raise
            log.warning("broker_unreachable", job=job, partition=partition, error=type(error).__name__)
        await asyncio.sleep(PAUSE_SECONDS)
