"""All jobs of a worker: which partitions it holds, their chunks and their checkpoints."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog
from faust.types import TP

from risk.chunk import Chunk
from stream.job_spec import JobSpec
from stream.metrics import Metrics
from stream.partition_job import PartitionJob
from stream.producer_epoch import FencedError

log = structlog.get_logger(__name__)

LOST_SECONDS = 60.0
"""How long a partition that another worker has taken may still be assigned to this one."""

CommitOffsets = Callable[[Mapping[TP, int]], Awaitable[object]]


class Jobs:
    """Holds a PartitionJob for every assigned source partition.

    A failure that is not a message's fault ends the worker: it is kept in `failure`, and nothing is processed or
    checkpointed after it.
    """

    def __init__(
        self,
        specs: Iterable[JobSpec],
        *,
        bootstrap: str,
        application_id: str,
        checkpoint_interval_seconds: float,
        metrics: Metrics,
        commit_offsets: CommitOffsets,
    ) -> None:
        self._specs = {spec.source_topic: spec for spec in specs}
        self._bootstrap = bootstrap
        self._application_id = application_id
        self._interval = checkpoint_interval_seconds
        self._metrics = metrics
        self._commit_offsets = commit_offsets
        self._jobs: dict[TP, PartitionJob] = {}
        self._starts: dict[TP, asyncio.Task[None]] = {}
        self._checkpointers: dict[TP, asyncio.Task[None]] = {}
        self._paused: dict[TP, PartitionJob] = {}
        self._dropping: set[asyncio.Task[None]] = set()
        self._lost: dict[TP, asyncio.Task[None]] = {}
        self.failure: BaseException | None = None
        self.assigned_once = False

    @property
    def held(self) -> int:
        """How many partitions are assigned to this worker."""
        return len(self._jobs)

    @property
    def restored(self) -> int:
        """How many of them have their state restored."""
        return sum(start.done() for start in self._starts.values())

    @property
    def ready(self) -> bool:
        """Whether the state of every assigned partition is restored; also with none assigned."""
        return self.failure is None and self.restored == self.held

    @property
    def restoring_records(self) -> int:
        """How many changelog records the restores under way have read."""
        return sum(job.restoring_records for job in self._jobs.values())

    @property
    def backlog_records(self) -> int:
        """How many outputs are not acknowledged yet."""
        return sum(job.backlog_records for job in self._jobs.values())

    def assign(self, assigned: Iterable[TP]) -> None:
        """Take up all partitions that are this worker's from now on, and drop those that were and are not any more.

        One that was this worker's before the rebalance too goes on with the state that is in memory.
        """
        self.assigned_once = True
        for tp in assigned:
            spec = self._specs.get(tp.topic)
            if spec is None or tp in self._jobs:
                continue
            job = self._paused.pop(tp, None)
            if job is None:
                job = PartitionJob(
                    spec,
                    tp.partition,
                    bootstrap=self._bootstrap,
                    application_id=self._application_id,
                    metrics=self._metrics,
                    commit=self._committer(tp),
                )
                start = job.start()
            else:
                start = job.resume()
            self._jobs[tp] = job
            self._starts[tp] = asyncio.create_task(start)
            self._checkpointers[tp] = asyncio.create_task(self._checkpoint_regularly(tp, job))
        for tp in tuple(self._paused):
            self._dropping.add(dropping := asyncio.create_task(self._paused.pop(tp).stop(final_checkpoint=False)))
            dropping.add_done_callback(self._dropping.discard)

    async def process(self, chunk: Chunk) -> None:
        """Hand a chunk to its partition's job; one for a partition that was taken away is dropped, unprocessed."""
        tp = TP(chunk.topic, chunk.partition)
        if (paused := self._paused.get(tp)) is not None:
            paused.pass_over(chunk)
        job, start = self._jobs.get(tp), self._starts.get(tp)
        if job is None or start is None or self.failure is not None:
            return
        if not start.done():
            # Awaiting it would end whoever reads chunks, were it cancelled because the partition was taken away.
            await asyncio.wait({start})
        if self._jobs.get(tp) is not job:
            job.pass_over(chunk)
            return
        try:
            start.result()
            await job.process(chunk)
        except FencedError as fenced:
            await self._lose(tp, job, fenced)
        except Exception as error:
            self._fail(error)

    async def revoke(self, revoked: Iterable[TP]) -> None:
        """Checkpoint partitions and pause them: the next assignment says whether they stay."""
        revoked = tuple(revoked)
        for tp in revoked:
            if (watch := self._lost.pop(tp, None)) is not None:
                watch.cancel()
        await self._release((tp for tp in revoked if tp in self._jobs), for_good=False)

    async def revoke_all(self) -> None:
        """Checkpoint and let go of everything."""
        await self.revoke(tuple(self._lost))
        await self._release(tuple(self._jobs), for_good=True)
        await asyncio.gather(*(job.stop(final_checkpoint=False) for job in self._paused.values()), *self._dropping)
        self._paused.clear()

    async def _release(self, tps: Iterable[TP], *, for_good: bool) -> None:
        # All are taken out before anything is waited for: whoever finds meanwhile that one is lost finds it gone.
        held = [(tp, self._jobs.pop(tp), self._starts.pop(tp), self._checkpointers.pop(tp)) for tp in tps]
        await asyncio.gather(*(self._release_one(*one, for_good=for_good) for one in held))

    async def _release_one(
        self, tp: TP, job: PartitionJob, start: asyncio.Task[None], checkpointer: asyncio.Task[None], *, for_good: bool
    ) -> None:
        checkpointer.cancel()
        started = start.done() and not start.cancelled() and start.exception() is None
        start.cancel()
        await asyncio.gather(checkpointer, start, return_exceptions=True)
        sound = started and self.failure is None
        try:
            if sound and not for_good:
                # At once: what still comes while the checkpoint is written is passed over, and not forgotten.
                self._paused[tp] = job
                await job.pause()
            else:
                await job.stop(final_checkpoint=sound)
        except FencedError as fenced:
            log.warning("partition_lost", job=job.spec.name, partition=tp.partition, reason=str(fenced))
            self._paused.pop(tp, None)
            await job.stop(final_checkpoint=False)
        except Exception as error:
            self._fail(error)

    async def _lose(self, tp: TP, job: PartitionJob, fenced: FencedError) -> None:
        """Drop a partition that another worker has taken; the group will tell of it soon, or this worker fails."""
        if self._jobs.get(tp) is not job:
            return
        log.warning("partition_lost", job=job.spec.name, partition=tp.partition, reason=str(fenced))
        del self._jobs[tp], self._starts[tp]
        checkpointer = self._checkpointers.pop(tp)
        if checkpointer is not asyncio.current_task():
            checkpointer.cancel()
        self._lost[tp] = asyncio.create_task(self._fail_if_kept(fenced))
        await job.stop(final_checkpoint=False)

    async def _fail_if_kept(self, fenced: FencedError) -> None:
        # A transaction that a broker ended for its age fences too, and then nobody else has the partition.
        await asyncio.sleep(LOST_SECONDS)
        self._fail(fenced)

    async def _checkpoint_regularly(self, tp: TP, job: PartitionJob) -> None:
        try:
            await asyncio.shield(self._starts[tp])
            # The partitions' checkpoints are spread over the interval, so that they do not come in one burst.
            await asyncio.sleep(self._interval * (tp.partition % 8 + 1) / 8)
            while True:
                checkpoint = asyncio.create_task(job.checkpoint())
                try:
                    await asyncio.shield(checkpoint)
                except asyncio.CancelledError:
                    # It is a transaction: it is waited for, never torn. Whoever cancels asks for the outcome again.
                    await asyncio.gather(checkpoint, return_exceptions=True)
                    raise
                await asyncio.sleep(self._interval)
        except asyncio.CancelledError:
            raise
        except FencedError as fenced:
            await self._lose(tp, job, fenced)
        except Exception as error:
            self._fail(error)

    def _committer(self, tp: TP) -> Callable[[int], Awaitable[object]]:
        async def commit(offset: int) -> object:
            return await self._commit_offsets({tp: offset})

        return commit

    def _fail(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error
            log.error("worker_failed", error=repr(error), exc_info=error)
