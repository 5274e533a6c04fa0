import asyncio
import random
from pathlib import Path
from uuid import uuid4

import pytest
from counting_fold import CountingFold
from crew import Crew, until_worked_off
from fault_stream import FaultStream
from live import Worker

from apache_kafka import apache_kafka
from risk.chunk import Chunk
from stream import partition_job
from stream.job_spec import JobSpec
from stream.metrics import Metrics
from stream.partition_job import PartitionJob
from stream.settings import Settings
from stream.topics import Topic, create_topics

MOST_MEBIBYTES = 300.0


def memory_mebibytes(worker: Worker, field: str) -> float:
    """Return what Linux tells of a worker's memory: VmRSS, what it holds, or VmHWM, the most that it held."""
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith(field + ":"))) / 1024


def test_a_source_that_is_too_fast_does_not_fill_the_memory(
    fault_settings: Settings, fault_stream: FaultStream, chance: random.Random, crew: Crew
) -> None:
    """Input many times faster than it can be scored is left in Kafka: the worker's memory grows by the same little."""
    worker = crew.start(fault_settings)
    worker.wait_until(lambda: worker.metric_count("riskstream_state_rows") > 0 and worker.ready())
    idle = memory_mebibytes(worker, "VmRSS")
    fault_stream.send(fault_settings)
    behind = worker.metric("riskstream_consumer_lag_records")
    until_worked_off([worker])
    grown = memory_mebibytes(worker, "VmHWM") - idle
    worker.stop()
    print(f"{behind:,.0f} records behind when all was sent; {idle:.0f} MiB idle, {grown:.0f} more at most")
    assert grown < MOST_MEBIBYTES


def test_a_topic_that_is_too_slow_holds_scoring_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While outputs cannot leave, no more than so many wait and no more is taken up; afterwards everything is there."""
    monkeypatch.setattr(partition_job, "OUTBOX_LIMIT_RECORDS", 50)

    async def scenario(name: str) -> None:
        alerts, changelog = f"{name}-alerts", f"{name}-changelog"
        await create_topics(broker.bootstrap, (Topic(alerts, 1, 1), Topic(changelog, 1, 1)))

        async def commit(offset: int) -> None:
            pass

        job = PartitionJob(
            JobSpec("counting", name, changelog, {"alerts": alerts}, CountingFold),
            0,
            bootstrap=broker.bootstrap,
            application_id=name,
            metrics=Metrics(1),
            commit=commit,
        )
        await job.start()
        await asyncio.to_thread(broker.kill)

        async def process() -> None:
            for at in range(100):
                offsets = tuple(range(100 * at, 100 * at + 100))
                await job.process(Chunk.of(name, 0, offsets, (b"key",) * 100, (b"",) * 100, caught_up=False))

        processing = asyncio.create_task(process())
        await asyncio.sleep(2.0)
        assert not processing.done()
        assert 50 < job.backlog_records <= 50 + 10
        await asyncio.to_thread(broker.start)
        await processing
        await job.checkpoint()
        assert job.backlog_records == 0
        await job.stop(final_checkpoint=False)

    with apache_kafka(tmp_path) as broker:
        asyncio.run(scenario(f"slow-{uuid4().hex[:8]}"))
