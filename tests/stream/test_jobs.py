"""What a worker does with its partitions when news of them cross."""

import asyncio

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

    async def checkpoint(self) -> None:
        """Have nothing to keep."""

    async def pause(self) -> None:
        """Find out as well."""
        raise FencedError("taken over")

    async def stop(self, *, final_checkpoint: bool) -> None:
        """Stop; a fenced one makes no checkpoint."""
        assert not final_checkpoint


def test_a_partition_that_is_lost_while_it_is_revoked_is_let_go_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither ends the worker, now or when it would have waited long enough for the group to tell."""
    monkeypatch.setattr(module, "PartitionJob", FencedJob)
    monkeypatch.setattr(module, "LOST_SECONDS", 0.01)

    async def cross() -> Jobs:
        jobs = Jobs(
            (SPEC,),
            bootstrap="127.0.0.1:9",
            application_id="crossing",
            checkpoint_interval_seconds=60.0,
            metrics=Metrics(1),
            commit_offsets=lambda offsets: asyncio.sleep(0),
        )
        jobs.assign({AT})
        await asyncio.sleep(0)
        await asyncio.gather(jobs.revoke([AT]), jobs.process(CHUNK))
        await asyncio.sleep(0.05)
        return jobs

    jobs = asyncio.run(cross())
    assert jobs.held == 0
    assert jobs.failure is None
