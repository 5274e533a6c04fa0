"""What a worker does with its partitions when news of them cross."""

import asyncio
from typing import Any

import pytest
from faust.types import TP

from risk.chunk import Chunk
from risk.label_fold import LabelFold
from stream import jobs as module
from stream.job_spec import JobSpec
from stream.jobs import Jobs
from stream.metrics import Metrics
from stream.producer_epoch import FencedError

AT = TP("transactions", 0)
SPEC = JobSpec("labels", AT.topic, "changelog-labels", {}, lambda at: LabelFold(at, partitions=1))
CHUNK = Chunk.of("transactions", 0, (0,), (b"c",), (b"{}",), caught_up=True)


class FencedJob:
    """A partition job that another worker has taken over."""

    def __init__(self, *_: object, **__: object) -> None:
        self.spec = SPEC

    async def start(self) -> None:
        """Start at once."""

    async def process(self, chunk: Chunk) -> None:
        """Find out."""
        raise FencedError("taken over")

    def pass_over(self, chunk: Chunk) -> None:
        """Have nothing to take it for."""

    async def checkpoint(self) -> None:
        """Have nothing to keep."""

    async def pause(self) -> None:
        """Find out as well."""
        raise FencedError("taken over")

    async def stop(self, *, final_checkpoint: bool) -> None:
        """Stop; a fenced one makes no checkpoint."""
        assert not final_checkpoint


class SlowJob:
    """A partition job that starts and pauses when it is let."""

    def __init__(self, *_: object, **__: object) -> None:
        self.spec = SPEC
        self.may_start, self.may_pause = asyncio.Event(), asyncio.Event()
        self.taken: list[Chunk] = []
        self.passed_over: list[Chunk] = []

    async def start(self) -> None:
        """Start when it is let."""
        await self.may_start.wait()

    async def process(self, chunk: Chunk) -> None:
        """Take the chunk."""
        self.taken.append(chunk)

    def pass_over(self, chunk: Chunk) -> None:
        """Keep in mind what has to come again."""
        self.passed_over.append(chunk)

    async def checkpoint(self) -> None:
        """Have nothing to keep."""

    async def pause(self) -> None:
        """Pause when it is let."""
        await self.may_pause.wait()

    async def stop(self, *, final_checkpoint: bool) -> None:
        """Stop."""


def assigned_jobs() -> Jobs:
    """Return jobs without a broker that have one partition."""
    jobs = Jobs(
        (SPEC,),
        bootstrap="127.0.0.1:9",
        application_id="crossing",
        checkpoint_interval_seconds=60.0,
        metrics=Metrics(1),
        commit_offsets=lambda offsets: asyncio.sleep(0),
    )
    jobs.assign({AT})
    return jobs


def test_a_chunk_that_waits_for_a_start_which_is_cancelled_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever hands chunks over, one partition after another, goes on with the next."""
    monkeypatch.setattr(module, "PartitionJob", SlowJob)

    async def cross() -> None:
        jobs = assigned_jobs()
        job: Any = jobs._jobs[AT]
        handing_over = asyncio.create_task(jobs.process(CHUNK))
        await asyncio.sleep(0)
        await jobs.revoke([AT])
        await handing_over
        assert (job.taken, jobs.failure) == ([], None)

    asyncio.run(cross())


def test_a_chunk_that_comes_while_a_partition_is_pausing_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not processed, and what follows it is not either until it has come again."""
    monkeypatch.setattr(module, "PartitionJob", SlowJob)

    async def cross() -> None:
        jobs = assigned_jobs()
        job: Any = jobs._jobs[AT]
        job.may_start.set()
        await asyncio.sleep(0)
        revoking = asyncio.create_task(jobs.revoke([AT]))
        await asyncio.sleep(0.01)
        await jobs.process(CHUNK)
        job.may_pause.set()
        await revoking
        assert (job.taken, job.passed_over) == ([], [CHUNK])

    asyncio.run(cross())


def test_a_partition_that_is_lost_while_it_is_revoked_is_let_go_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither ends the worker, now or when it would have waited long enough for the group to tell."""
    monkeypatch.setattr(module, "PartitionJob", FencedJob)
    monkeypatch.setattr(module, "LOST_SECONDS", 0.01)

    async def cross() -> Jobs:
        jobs = assigned_jobs()
        await asyncio.sleep(0)
        await asyncio.gather(jobs.revoke([AT]), jobs.process(CHUNK))
        await asyncio.sleep(0.05)
        return jobs

    jobs = asyncio.run(cross())
    assert jobs.held == 0
    assert jobs.failure is None
