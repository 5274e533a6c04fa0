"""Where in the log the monitor begins to read, so that it tells the same after a restart.

Nobody holds an event for later than it happened, but for what clocks differ by: so a record that was written before the
window began is about an event before the window. The window ends at the newest event time, which is at least that of
the last records of each partition; with these read, the log itself finds the first record that may matter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition

from stream.log_span import read_log

TAIL_RECORDS = 100
"""How many of the last records of each partition are looked at for the newest event time."""

MARGIN_MS = 24 * 3600 * 1000
"""A day, far more than clocks differ by: read rather too much."""


@dataclass(frozen=True, slots=True)
class Span:
    """The first offset of a partition to read, and the end of what lay there when that was found out."""

    first: int
    end: int


async def window_spans(
    bootstrap: str,
    partitions: Sequence[KafkaPartition],
    window_days: float,
    newest_ns: Callable[[Mapping[KafkaPartition, list[ConsumerRecord]]], int],
) -> dict[KafkaPartition, Span]:
    """Return what to read of each partition for all events of the window that ends at the newest one.

    `newest_ns` returns the newest event time among some records, -1 for none: then all is to be read. Raises
    aiokafka's KafkaError when the broker cannot be asked.
    """
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        await consumer.start()
        beginnings = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        tails: dict[KafkaPartition, list[ConsumerRecord]] = {}
        firsts = {at: max(beginnings[at], ends[at] - TAIL_RECORDS) for at in partitions}
        async for at, records in read_log(bootstrap, firsts, ends=ends):
            tails.setdefault(at, []).extend(records)
        begin_ms = newest_ns(tails) // 1_000_000 - int(window_days * 86_400_000) - MARGIN_MS
        if begin_ms <= 0:
            return {at: Span(beginnings[at], ends[at]) for at in partitions}
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, begin_ms))
        return {at: Span(ends[at] if found[at] is None else found[at].offset, ends[at]) for at in partitions}
    finally:
        await consumer.stop()
