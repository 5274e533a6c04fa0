"""Publishes messages to a topic at a rate or as fast as the broker takes them: for `riskstream send` and the demo."""

import asyncio
import time
from collections.abc import Callable, Iterable
from itertools import islice

from risk.partitioner import partitions_of
from stream.outbox import Outbox, Record

SLICE_SECONDS = 0.002
LARGEST_SLICE = 2_000
WAITING_LIMIT_RECORDS = 20_000


async def publish(
    outbox: Outbox,
    topic: str,
    partitions: int,
    messages: Iterable[tuple[str, bytes]],
    *,
    rate_per_second: float | None = None,
    on_sent: Callable[[int], None] = lambda count: None,
) -> int:
    """Send (key, value) messages in order, each to the partition of its key, and return how many were sent.

    At a `rate_per_second` messages leave in slices of about 2 ms by the schedule of that rate: a pause of this
    process is made up for afterwards, not forgotten. Returns when all are acknowledged.
    """
    source = iter(messages)
    began = time.perf_counter()
    sent = 0
    while True:
        if rate_per_second is None:
            size = LARGEST_SLICE
        else:
            due = int((time.perf_counter() - began) * rate_per_second) + 1
            size = min(due - sent, LARGEST_SLICE)
        chosen = list(islice(source, max(size, 0)))
        if not chosen and size > 0:
            break
        for (key, value), partition in zip(
            chosen, partitions_of([key for key, _ in chosen], partitions).tolist(), strict=True
        ):
            outbox.append(topic, partition, Record(key.encode(), value))
        sent += len(chosen)
        if chosen:
            on_sent(len(chosen))
        await outbox.room(WAITING_LIMIT_RECORDS)
        await asyncio.sleep(0 if rate_per_second is None else SLICE_SECONDS)
    await outbox.delivered(outbox.fence())
    return sent
