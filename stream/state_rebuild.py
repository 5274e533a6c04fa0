"""Makes the state of every job anew from its source, up to where the checkpoints had come.

What a state contains is a function of the log: another version of the engine can fold the same records again, without
publishing anything, and go on from there. So nothing is scored twice and nothing is left out.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient

from risk.fold import Fold
from stream.changelog import Changelog, Cut, any_checkpoint
from stream.job_spec import JobSpec
from stream.log_span import read_chunks
from stream.settings import Settings


class RebuildError(RuntimeError):
    """The state cannot be made anew; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """A job's partition whose state was made anew, from `records` of its source; `was` names the former version."""

    job: str
    partition: int
    records: int
    rows: int
    was: str
    now: str


async def rebuild_state(
    settings: Settings, specs: tuple[JobSpec, ...], on_read: Callable[[int], None] = lambda count: None
) -> AsyncIterator[Rebuilt]:
    """Make the state anew, partition by partition, and yield what was made; those without a checkpoint are left.

    `on_read` is told of every chunk how many records it held. Raises RebuildError when workers are running, when a
    source has lost its beginning, or when the engine raises on it.
    """
    await _refuse_running_workers(settings)
    for spec in specs:
        for partition in range(settings.partitions):
            rebuilt = await _rebuild(settings, spec, partition, on_read)
            if rebuilt is not None:
                yield rebuilt


async def _refuse_running_workers(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    try:
        await admin.start()
        (answer,) = await admin.describe_consumer_groups([settings.application_id])
        state, members = next((group[2], group[5]) for group in answer.groups)
    finally:
        await admin.close()
    if members:
        raise RebuildError(
            f"group {settings.application_id!r} is {state} with {len(members)} member(s): stop the workers first"
            f" (those that died are forgotten after {settings.session_timeout_seconds:g} s)"
        )


async def _rebuild(settings: Settings, spec: JobSpec, partition: int, on_read: Callable[[int], None]) -> Rebuilt | None:
    former = await any_checkpoint(settings.broker, spec.changelog_topic, partition)
    if former.cut is None:
        return None
    fold, records = spec.new_fold(partition), 0
    end = former.cut.source_offset + 1
    if end > 0:
        await _refuse_lost_beginning(settings, spec, partition)
    async for chunk in read_chunks(settings.broker, spec.source_topic, partition, 0, end):
        try:
            fold.advance(chunk)
        except Exception as error:
            raise RebuildError(
                f"{spec.name}[{partition}]: the engine raised {type(error).__name__} between the offsets"
                f" {chunk.first_offset} and {chunk.last_offset} of {spec.source_topic}: mend that first, or remove"
                " the topics changelog-* and choose another application id (RISKSTREAM_APPLICATION_ID) to score the"
                " stream from its beginning"
            ) from error
        records += len(chunk)
        on_read(len(chunk))
    rows = fold.take_changed()
    cut = Cut(fold.state_version, former.cut.source_offset, fold.cut(), former.cut.output_ends)
    changelog = Changelog(
        settings.broker,
        transactional_id=f"{settings.application_id}-{spec.name}-{partition}",
        topic=spec.changelog_topic,
        partition=partition,
    )
    await changelog.start([])
    try:
        gone = {key for key, _ in former.rows} - {key for key, _ in rows}
        await changelog.write(rows, cut, list(gone))
    finally:
        await changelog.stop()
    await _commit(settings, KafkaPartition(spec.source_topic, partition), fold)
    return Rebuilt(spec.name, partition, records, len(rows), former.cut.state_version, fold.state_version)


async def _refuse_lost_beginning(settings: Settings, spec: JobSpec, partition: int) -> None:
    at = KafkaPartition(spec.source_topic, partition)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker)
    try:
        await consumer.start()
        beginning = (await consumer.beginning_offsets([at]))[at]
    finally:
        await consumer.stop()
    if beginning > 0:
        raise RebuildError(
            f"{spec.source_topic}[{partition}] begins at offset {beginning}, what was before is removed: run the"
            " version that wrote the state, or remove the topics changelog-* and choose another application id"
            " (RISKSTREAM_APPLICATION_ID) to score what is left from its beginning"
        )


async def _commit(settings: Settings, at: KafkaPartition, fold: Fold) -> None:
    # Another version may let other rows wait than the former one did.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker, group_id=settings.application_id, enable_auto_commit=False
    )
    try:
        await consumer.start()
        consumer.assign([at])
        await consumer.commit({at: fold.read_on_offset()})
    finally:
        await consumer.stop()
