"""One job on one partition: its state, its outputs and its checkpoints.

The life of a partition job is: start (take the changelog over, restore, read what was already published), process
chunks, checkpoint now and then, stop (a last checkpoint). Between two assignments it pauses, and resumes with the state
that it has if nobody else had the partition. All of it runs on one event loop and `Fold.advance` does not
yield, so whenever a checkpoint copies the changed rows, the state and what was handed to the outbox belong together.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import structlog
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from risk.chunk import Chunk
from risk.fold import Emitted, Output, Stream
from schemas.source import Source
from stream.broker_patience import patiently
from stream.changelog import Changelog, Cut, last_checkpoint
from stream.chunk_metrics import ChunkMetrics
from stream.failures import failure_letter, isolate_failures
from stream.job_spec import JobSpec
from stream.log_span import read_chunks
from stream.metrics import Metrics
from stream.outbox import Outbox, Record
from stream.producer_epoch import FencedError
from stream.published import IDENTITY_HEADER, published_identities

log = structlog.get_logger(__name__)

T = TypeVar("T")

OUTBOX_LIMIT_RECORDS = 50_000
UNIDENTIFIED: frozenset[Stream] = frozenset(("merchant_events", "market_events"))
"""Streams whose reader drops repeats by itself: nothing is read back from them after a restart."""


class PartitionJob:
    """A fold at work on one partition."""

    def __init__(
        self,
        spec: JobSpec,
        partition: int,
        *,
        bootstrap: str,
        application_id: str,
        metrics: Metrics,
        commit: Callable[[int], Awaitable[object]],
    ) -> None:
        self.spec = spec
        self.partition = partition
        self._bootstrap = bootstrap
        self._application_id = application_id
        self._outbox: Outbox | None = None
        self._metrics = metrics
        self._chunk_metrics = ChunkMetrics(metrics, spec.name, spec.source_topic, partition)
        self._commit = commit
        self._fold = spec.new_fold(partition)
        self._changelog = self._new_changelog()
        self._published: Counter[tuple[str, bytes]] = Counter()
        self._output_ends: dict[str, int] = {}
        self._checkpointing = asyncio.Lock()
        self._advanced = False
        self._raised = False
        self._fenced: FencedError | None = None
        self._put_aside: set[Source] = set()
        self.restoring_records = 0
        self._stopped = False
        self._passed_over: int | None = None
        self._may_lack_records = False

    def _new_changelog(self) -> Changelog:
        return Changelog(
            self._bootstrap,
            transactional_id=f"{self._application_id}-{self.spec.name}-{self.partition}",
            topic=self.spec.changelog_topic,
            partition=self.partition,
        )

    @property
    def _read_back_topics(self) -> list[str]:
        return [topic for stream, topic in self.spec.output_topics.items() if stream not in UNIDENTIFIED]

    @property
    def _outputs(self) -> list[KafkaPartition]:
        return [KafkaPartition(topic, self.partition) for topic in self._read_back_topics]

    async def start(self) -> None:
        """Take the partition over and restore its state, from the beginning again if the broker goes away meanwhile.

        Raises StateVersionError if the state is another version's, FencedError if another worker came in between.
        """
        await self._patiently(self._start)

    async def _start(self) -> None:
        try:
            await self._take_over()
        except KafkaError:
            await self._forget_all()
            raise

    async def _take_over(self) -> None:
        began = time.perf_counter()
        name = self.spec.name
        shown = 0
        progress = self._metrics.restoring_records.labels(name, str(self.partition))

        def show(count: int) -> None:
            nonlocal shown
            self.restoring_records = count
            progress.set(count)
            if count - shown >= 100_000:
                shown = count
                log.info("restoring", job=name, partition=self.partition, records=count)

        epoch = await self._changelog.start(self._outputs)
        restored = await last_checkpoint(
            self._bootstrap, self.spec.changelog_topic, self.partition, self._fold.state_version, show
        )
        ends: dict[str, int] = {}
        if restored.cut is not None:
            # A million rows take a second or two, in which others' partitions are scored and pages answered.
            await asyncio.to_thread(self._fold.restore, restored.cut.fold_cut, restored.rows)
            ends = restored.cut.output_ends
        self._may_lack_records = True
        # The restored marks stay in force until a later checkpoint covers what was published after them.
        self._output_ends = {topic: ends.get(topic, 0) for topic in self._read_back_topics}
        self._published = await published_identities(self._bootstrap, self._output_ends, self.partition)
        self._outbox = Outbox(self._bootstrap, client_id=self._application_id, epoch=epoch)
        await self._outbox.start()
        self.restoring_records = 0
        progress.set(0)
        seconds = time.perf_counter() - began
        self._metrics.restored_rows.labels(name).inc(len(restored.rows))
        self._metrics.restore_seconds.labels(name).observe(seconds)
        self._chunk_metrics.show_rows(len(self._fold))
        log.info(
            "partition_ready",
            job=name,
            partition=self.partition,
            rows=len(restored.rows),
            already_published=self._published.total(),
            seconds=round(seconds, 3),
        )

    async def process(self, chunk: Chunk) -> None:
        """Advance the fold by a chunk and hand what it gives to the outbox; raises as `checkpoint` does."""
        outbox = self._started_outbox()
        if not self._stopped:
            await outbox.room(OUTBOX_LIMIT_RECORDS)
        if self._stopped:
            self.pass_over(chunk)
            return
        if self._passed_over is not None and len(chunk):
            if chunk.first_offset > self._passed_over:
                return
            self._passed_over = None
        if self._may_lack_records:
            await self._patiently(partial(self._read_lacking, chunk))
            if self._stopped:
                self.pass_over(chunk)
                return
        await self._advance(chunk)

    async def _read_lacking(self, chunk: Chunk) -> None:
        """Take up what lies between the restored state and the first chunk after it; usually that is nothing.

        A checkpoint whose transaction the broker has lost (ADR 14) is followed by a group's offset beyond the state.
        """
        first, end = self._fold.read_on_offset(), chunk.first_offset if len(chunk) else None
        if end is None or end > first:
            async for part in read_chunks(self._bootstrap, self.spec.source_topic, self.partition, first, end):
                log.warning("records_read_again", job=self.spec.name, partition=self.partition, records=len(part))
                await self._started_outbox().room(OUTBOX_LIMIT_RECORDS)
                if self._stopped:
                    return
                await self._advance(part)
        self._may_lack_records = False

    async def _advance(self, chunk: Chunk) -> None:
        outbox = self._started_outbox()
        began = time.perf_counter()
        if self._put_aside:
            # The first hop sends rows again after a crash of its own.
            chunk = self.spec.parts.without(chunk, self._put_aside)
        try:
            emitted = self._fold.advance(chunk)
        except Exception as error:
            emitted = await self._without_failures(chunk, error)
        advanced = time.perf_counter()
        written: dict[str, int] = {}
        for output in emitted.outputs:
            if self._publish(outbox, output, chunk.timestamp_ms):
                written[output.stream] = written.get(output.stream, 0) + 1
        self._advanced = True
        self._chunk_metrics.show(chunk, emitted, written, advanced - began, time.perf_counter() - advanced)
        self._chunk_metrics.show_rows(len(self._fold))

    def pass_over(self, chunk: Chunk) -> None:
        """Leave a chunk that came during a pause; after it nothing is taken before those records come again."""
        if len(chunk) and (self._passed_over is None or chunk.first_offset < self._passed_over):
            self._passed_over = chunk.first_offset

    async def _without_failures(self, chunk: Chunk, error: Exception) -> Emitted:
        """Go on from the last checkpoint without the messages that the fold raises on; dead-letter those.

        Raises the fold's exception when it is not for some messages that it raises.
        """
        log.error("processing_failed", job=self.spec.name, partition=self.partition, error=type(error).__name__)
        if not len(chunk):
            raise error
        # A checkpoint that is under way ends first; none begins on the state that the exception left behind.
        self._raised = True
        async with self._checkpointing:
            isolated = await self._patiently(
                lambda: isolate_failures(self._bootstrap, self.spec, self.partition, chunk, self._put_aside)
            )
            self._fold, self._raised = isolated.fold, False
        emitted = isolated.emitted
        for failure in isolated.failures:
            self._put_aside.add(failure.source)
            self._metrics.failures.labels(self.spec.name).inc()
            letter = partial(failure_letter, self._bootstrap, failure, self.partition)
            emitted.outputs.append(await self._patiently(letter))
        if isolated.failures:
            emitted.rejected = dict(emitted.rejected) | {"processing_failed": len(isolated.failures)}
        return emitted

    def _started_outbox(self) -> Outbox:
        assert self._outbox is not None, "start() comes first"
        return self._outbox

    @property
    def backlog_records(self) -> int:
        """How many outputs are not acknowledged yet; none while the job is paused or once it has stopped."""
        return self._outbox.backlog() if self._outbox is not None and not self._stopped else 0

    def _publish(self, outbox: Outbox, output: Output, timestamp_ms: int) -> bool:
        topic = self.spec.output_topics[output.stream]
        if output.stream in UNIDENTIFIED:
            outbox.append(topic, output.partition, Record(output.key, output.value, timestamp_ms=timestamp_ms or None))
            return True
        if self._published.get((topic, output.identity), 0) > 0:
            self._published[topic, output.identity] -= 1
            self._metrics.suppressed.labels(self.spec.name).inc()
            return False
        outbox.append(topic, output.partition, Record(output.key, output.value, ((IDENTITY_HEADER, output.identity),)))
        return True

    async def checkpoint(self) -> None:
        """Make what was processed durable: rows and cut in one transaction, then the group's offset.

        Returns at once when nothing was processed since the last one. Raises FencedError when another worker owns the
        partition, and OutboxError when an output could not be delivered.
        """
        async with self._checkpointing:
            if self._fenced is not None:
                raise self._fenced
            if not self._advanced or self._raised:
                return
            try:
                await self._checkpoint()
            except FencedError as fenced:
                self._fenced = fenced
                raise

    async def _checkpoint(self) -> None:
        began = time.perf_counter()
        outbox = self._started_outbox()
        self._advanced = False
        rows = self._fold.take_changed()
        last_offset, read_on = self._fold.last_offset(), self._fold.read_on_offset()
        fold_cut = self._fold.cut()
        fence = outbox.fence()
        self._metrics.stage_seconds.labels(self.spec.name, "copy").observe(time.perf_counter() - began)
        ends = await outbox.delivered(fence)
        self._output_ends = {
            topic: max(end, ends.get((topic, self.partition), 0)) for topic, end in self._output_ends.items()
        }
        await self._changelog.write(rows, Cut(self._fold.state_version, last_offset, fold_cut, self._output_ends))
        await self._commit(read_on)
        self._metrics.checkpoint_rows.labels(self.spec.name).inc(len(rows))
        self._metrics.checkpoint_seconds.labels(self.spec.name).observe(time.perf_counter() - began)
        self._metrics.checkpoint_time.labels(self.spec.name, str(self.partition)).set_to_current_time()

    async def pause(self) -> None:
        """Take no more chunks and write a checkpoint; raises as that does."""
        self._stopped = True
        await self.checkpoint()

    async def resume(self) -> None:
        """Go on after a pause: with the state in memory, or as `start` if another worker had the partition since."""
        try:
            await self._changelog.prove_ownership()
        except FencedError:
            await self._forget_all()
            self._advanced, self._put_aside, self._passed_over = False, set(), None
            await self.start()
        else:
            log.info("partition_kept", job=self.spec.name, partition=self.partition, rows=len(self._fold))
        self._stopped = False

    async def stop(self, *, final_checkpoint: bool) -> None:
        """Take no more chunks; write a last checkpoint if asked to; leave the partition to its next owner."""
        self._stopped = True
        try:
            if final_checkpoint:
                await self.checkpoint()
        finally:
            async with self._checkpointing:
                await self._disconnect()
            self._metrics.forget_partition(self.spec.name, self.partition)

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        return await patiently(work, job=self.spec.name, partition=self.partition)

    async def _forget_all(self) -> None:
        await self._disconnect()
        self._changelog, self._outbox, self._fold = self._new_changelog(), None, self.spec.new_fold(self.partition)

    async def _disconnect(self) -> None:
        if self._outbox is not None:
            await self._outbox.stop()
        await self._changelog.stop()
