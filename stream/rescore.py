"""Scores the log again, offline: the folds of a worker over what lies in the topics, with no group, nothing committed.

A worker's state is a fold over its partition from the log's beginning. So a fold that begins there with an empty state
comes to the same state at every record, and what it gives in a span of events is what a worker gave, byte for byte. Of
a log that has lost its beginning the state is only what the rest of it leads to.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient

from risk.byte_slices import TextColumn
from risk.chunk import Chunk
from risk.merchant_events import FRAUD, MerchantColumns, Role, decode_blocks, encode_block
from stream.app import job_specs
from stream.bundles import Bundles
from stream.comparison import Comparison, PartitionComparison, total
from stream.event_span import EventSpan
from stream.job_spec import JobSpec
from stream.log_span import read_chunks, read_log
from stream.scored_kind import ScoredKind
from stream.scored_record import ScoredRecord, ScoredStream, decode_record, record_of
from stream.settings import Settings
from stream.topics import TopicError

_ROLES: tuple[Role, ...] = ("transactions", "labels")


@dataclass(frozen=True, slots=True)
class Scoring:
    """A kind of stream, where its log lies, and the job that scores it."""

    settings: Settings
    kind: ScoredKind
    spec: JobSpec

    @property
    def of_merchants(self) -> bool:
        """Whether the log is that of the first hops: of transactions and of the labels on them, merged."""
        return self.spec.name == "merchants"


def scoring_of(settings: Settings, bundles: Bundles, kind: ScoredKind) -> Scoring:
    """Return what scores a kind, so made that each transaction gives a score; the kind's bundle must be there."""
    every = settings.model_copy(update={"publish_scores": True})
    (spec,) = (spec for spec in job_specs(every, bundles) if spec.name == kind.job)
    return Scoring(settings, kind, spec)


@dataclass(frozen=True, slots=True)
class Extent:
    """The offsets that a partition holds: from `first` up to, and without, `end`."""

    first: int
    end: int

    @property
    def records(self) -> int:
        """How many records these are at most."""
        return self.end - self.first


Extents = Mapping[KafkaPartition, Extent]


@dataclass(frozen=True, slots=True)
class Rescored:
    """What came of it: re-scored records of the span by stream, and the comparison if one was asked for."""

    records: Mapping[ScoredStream, int]
    comparison: Comparison | None


async def read_extents(scoring: Scoring, *, compare: bool) -> Extents:
    """Return what the log holds now, of every partition that will be read.

    Raises TopicError for a topic that is not there or has another number of partitions than the settings say; and
    aiokafka's KafkaError when no broker answers.
    """
    settings, spec = scoring.settings, scoring.spec
    topics = [spec.source_topic]
    if compare:
        topics += [spec.output_topics[stream] for stream in scoring.kind.streams]
    await _check_partitions(settings, topics)
    at = [KafkaPartition(topic, number) for topic in topics for number in range(settings.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
    try:
        await consumer.start()
        consumer.assign(at)
        firsts, ends = await consumer.beginning_offsets(at), await consumer.end_offsets(at)
        return {one: Extent(firsts[one], ends[one]) for one in at}
    finally:
        await consumer.stop()


async def _check_partitions(settings: Settings, topics: Sequence[str]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    try:
        await admin.start()
        found = {one["topic"]: len(one["partitions"]) for one in await admin.describe_topics(list(topics))}
        for topic in topics:
            count = found.get(topic, 0)
            if count != settings.partitions:
                raise TopicError(
                    f"topic {topic!r} has {count} partitions where {settings.partitions} are wanted: set"
                    " RISKSTREAM_BROKER, RISKSTREAM_TOPIC_PREFIX and RISKSTREAM_PARTITIONS as for the workers"
                )
    finally:
        await admin.close()


def records_to_read(scoring: Scoring, extents: Extents, *, compare: bool) -> int:
    """Return how many records `rescore` will read at most: what its `on_read` adds up to."""
    source = scoring.spec.source_topic
    twice = scoring.of_merchants and compare
    return sum(extent.records * (2 if twice and at.topic == source else 1) for at, extent in extents.items())


async def rescore(
    scoring: Scoring,
    span: EventSpan,
    extents: Extents,
    *,
    compare: bool,
    take: Callable[[Sequence[ScoredRecord]], Awaitable[None]],
    on_read: Callable[[int], None] = lambda count: None,
) -> Rescored:
    """Score the log again and hand the records of the span to `take`, partition by partition, in the log's order.

    With `compare` they are compared with what lies in the output topics. `extents` are those that `read_extents` gave.
    What is held is the state of one partition and, to compare, small records of what it published in the span and of
    the labels on its transactions.
    """
    counts: Counter[ScoredStream] = Counter()
    comparisons: list[Comparison] = []
    for partition in range(scoring.settings.partitions):
        comparison = None
        if compare:
            frauds = await _known_frauds(scoring, partition, extents, on_read) if scoring.of_merchants else set()
            comparison = PartitionComparison(scoring.kind, frauds)
            await _take_published(scoring, partition, span, extents, comparison, on_read)
        async for records in _rescored(scoring, partition, span, extents, on_read):
            counts.update(record.stream for record in records)
            if comparison is not None:
                comparison.take_rescored(records)
            await take(records)
        if comparison is not None:
            comparisons.append(comparison.result())
    return Rescored(counts, total(scoring.kind, comparisons) if compare else None)


async def _rescored(
    scoring: Scoring,
    partition: int,
    span: EventSpan,
    extents: Extents,
    on_read: Callable[[int], None],
) -> AsyncIterator[list[ScoredRecord]]:
    settings, spec = scoring.settings, scoring.spec
    extent = extents[KafkaPartition(spec.source_topic, partition)]
    fold = spec.new_fold(partition)
    if scoring.of_merchants and (lost := caught_up_before(spec.source_topic, partition, settings, extent.first)):
        fold.advance(lost)
    async for chunk in _chunks(scoring, partition, extents):
        found = [record for output in fold.advance(chunk).outputs if (record := record_of(output)) is not None]
        on_read(len(chunk))
        yield [one for one in found if _within(span, one)]


def caught_up_before(topic: str, partition: int, settings: Settings, first: int) -> Chunk | None:
    """Return blocks that take the place of those lost before offset `first`: every source was read to its end there.

    A source says that once and then, while it has nothing to bring, no more. If that is lost, the fold would wait
    for it to the end. None where nothing is lost, or too little to put a block of each source in its place.
    """
    sources = [(role, number) for role in _ROLES for number in range(settings.partitions)]
    if first < len(sources):
        return None
    values = tuple(_empty_block(role, number) for role, number in sources)
    offsets = tuple(range(first - len(sources), first))
    return Chunk.of(topic, partition, offsets, (None,) * len(sources), values, caught_up=False)


def _empty_block(role: Role, partition: int) -> bytes:
    nothing = np.empty(0, dtype=np.int64)
    columns = MerchantColumns(
        offsets=nothing,
        kinds=np.empty(0, dtype=np.uint8),
        order_time_ns=nothing,
        event_time_ns=nothing,
        transaction_time_ns=nothing,
        features=np.empty((0, 0)),
        transaction_id=TextColumn.of(()),
        customer_id=TextColumn.of(()),
        merchant_id=TextColumn.of(()),
    )
    return encode_block((role, partition), columns, caught_up=True, clock_ns=-(2**63))


async def _take_published(
    scoring: Scoring,
    partition: int,
    span: EventSpan,
    extents: Extents,
    comparison: PartitionComparison,
    on_read: Callable[[int], None],
) -> None:
    kind, topics = scoring.kind, scoring.spec.output_topics
    streams = {KafkaPartition(topics[stream], partition): stream for stream in kind.streams}
    held = {at: extents[at] for at in streams if extents[at].records}
    firsts = {at: extent.first for at, extent in held.items()}
    ends = {at: extent.end for at, extent in held.items()}
    async for at, records in read_log(scoring.settings.broker, firsts, ends=ends):
        stream = streams[at]
        for one in records:
            record = decode_record(stream, partition, one.key, one.value)
            if record is not None and not kind.has(record):
                continue
            if record is None or _within(span, record):
                comparison.take_published(stream, record)
            else:
                comparison.pass_over(record)
        on_read(len(records))


async def _known_frauds(
    scoring: Scoring, partition: int, extents: Extents, on_read: Callable[[int], None]
) -> set[tuple[str, str]]:
    """Return the frauds that labels tell of, as (transaction id, customer id): of a transaction the last label holds.

    They are read ahead, for a label comes long after its transaction.
    """
    known: dict[tuple[str, str], tuple[int, bool]] = {}
    async for chunk in _chunks(scoring, partition, extents):
        for block in decode_blocks(chunk.values):
            if block.role != "labels":
                continue
            columns = block.transaction_id, block.customer_id, block.event_time_ns.tolist(), block.kinds.tolist()
            for transaction_id, customer_id, time_ns, kind in zip(*columns, strict=True):
                event = transaction_id, customer_id
                if event not in known or known[event][0] <= time_ns:
                    known[event] = time_ns, kind == FRAUD
        on_read(len(chunk))
    return {event for event, (_, fraud) in known.items() if fraud}


async def _chunks(scoring: Scoring, partition: int, extents: Extents) -> AsyncIterator[Chunk]:
    topic = scoring.spec.source_topic
    extent = extents[KafkaPartition(topic, partition)]
    if extent.records:
        async for chunk in read_chunks(scoring.settings.broker, topic, partition, extent.first, extent.end):
            yield chunk


def _within(span: EventSpan, record: ScoredRecord) -> bool:
    return span.contains(event_time_ns=record.event_time_ns, offset=record.message.source.offset)
