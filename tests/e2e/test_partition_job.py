import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from counting_fold import CountingFold

from apache_kafka import apache_kafka
from risk.chunk import Chunk
from stream.broker_process import BrokerProcess
from stream.changelog import StateVersionError
from stream.job_spec import JobSpec
from stream.metrics import Metrics
from stream.partition_job import PartitionJob
from stream.producer_epoch import FencedError
from stream.topics import Topic, create_topics


class Setting:
    """Topics of a test's own on a broker, and jobs on them."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.name = f"job-{uuid4().hex[:8]}"
        self.committed: list[int] = []
        self.metrics = Metrics(1)
        self.started: list[PartitionJob] = []
        self.spec = JobSpec(
            "counting", self.name, f"{self.name}-changelog", {"alerts": f"{self.name}-alerts"}, CountingFold
        )

    async def create(self) -> None:
        """Make the topics."""
        compacted = {"cleanup.policy": "compact"}
        await create_topics(
            self.bootstrap,
            (
                Topic(self.spec.changelog_topic, 1, 1, compacted),
                Topic(self.spec.output_topics["alerts"], 1, 1),
                Topic(self.spec.source_topic, 1, 1),
            ),
        )

    @asynccontextmanager
    async def job(self) -> AsyncIterator[PartitionJob]:
        """Give a started job; leaving is a crash once its outputs are out: nothing is checkpointed."""

        async def commit(offset: int) -> None:
            self.committed.append(offset)

        job = PartitionJob(
            self.spec,
            0,
            bootstrap=self.bootstrap,
            application_id=self.name,
            metrics=self.metrics,
            commit=commit,
        )
        self.started.append(job)
        await job.start()
        try:
            yield job
            while job.backlog_records:
                await asyncio.sleep(0.01)
        finally:
            await job.stop(final_checkpoint=False)

    async def send(self, count: int) -> None:
        """Put into the source what `chunk(0, count)` returns."""
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap) as producer:
            for key in chunk(0, count).keys:
                await producer.send(self.spec.source_topic, b"", key=key, partition=0)

    async def alerts(self) -> list[bytes]:
        """Return the values on the alerts topic."""
        at = KafkaPartition(self.spec.output_topics["alerts"], 0)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, auto_offset_reset="earliest")
        await consumer.start()
        consumer.assign([at])
        consumer.seek(at, 0)
        end = (await consumer.end_offsets([at]))[at]
        values = []
        while await consumer.position(at) < end:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                values += [record.value for record in records]
        await consumer.stop()
        return values


async def come_back(kafka: BrokerProcess) -> None:
    """Start a broker again after a second."""
    await asyncio.sleep(1.0)
    await asyncio.to_thread(kafka.start)


def chunk(first: int, last: int, keys: int = 3) -> Chunk:
    """Return records first..last-1 of a log in which keys take turns."""
    offsets = tuple(range(first, last))
    return Chunk.of(
        "source", 0, offsets, tuple(b"k%d" % (o % keys) for o in offsets), tuple(b"" for _ in offsets), True
    )


async def begun(broker: BrokerProcess) -> Setting:
    """Return a setting whose source has 300 records, the first 100 of which are in a checkpoint."""
    setting = Setting(broker.bootstrap)
    await setting.create()
    await setting.send(300)
    async with setting.job() as job:
        await job.process(chunk(0, 100))
        await job.checkpoint()
    return setting


def counts_of(job: PartitionJob) -> dict[bytes, int]:
    """Return what the job's fold has counted."""
    fold = job._fold
    assert isinstance(fold, CountingFold)
    return dict(fold.counts)


def test_a_crash_loses_and_doubles_nothing(broker: BrokerProcess) -> None:
    """After a crash past the last checkpoint the replay restores the counts, and alerts already out stay single."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.job() as first:
            await first.process(chunk(0, 100))
            await first.checkpoint()
            await first.process(chunk(100, 200))
        assert setting.committed == [100]
        async with setting.job() as second:
            assert sum(counts_of(second).values()) == 100
            # The group goes on from what was committed, or from before it: both must be right.
            await second.process(chunk(50, 300))
            assert sum(counts_of(second).values()) == 300
            await second.checkpoint()
        reference = CountingFold(0).advance(chunk(0, 300))
        assert await setting.alerts() == [output.value for output in reference.outputs]
        assert setting.committed == [100, 300]

    asyncio.run(scenario())


def test_a_crash_before_the_first_checkpoint_doubles_nothing(broker: BrokerProcess) -> None:
    """With no checkpoint at all, the whole log is replayed and only what is missing is published."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.job() as first:
            await first.process(chunk(0, 100))
        async with setting.job() as second:
            await second.process(chunk(0, 150))
        reference = CountingFold(0).advance(chunk(0, 150))
        assert await setting.alerts() == [output.value for output in reference.outputs]

    asyncio.run(scenario())


def test_a_former_owner_can_neither_publish_nor_checkpoint(broker: BrokerProcess) -> None:
    """Once another worker has taken the partition over, whatever the former owner writes is refused by the broker."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.job() as former:
            await former.process(chunk(0, 100))
            async with setting.job() as owner:
                await former.process(chunk(100, 200))
                with pytest.raises(FencedError, match="another worker has taken"):
                    await former.checkpoint()
                with pytest.raises(FencedError):
                    await former.process(chunk(200, 300))
                await former.stop(final_checkpoint=False)
                await owner.process(chunk(0, 130))
                await owner.checkpoint()
            async with setting.job() as third:
                assert sum(counts_of(third).values()) == 130
        reference = CountingFold(0).advance(chunk(0, 130))
        assert await setting.alerts() == [output.value for output in reference.outputs]

    asyncio.run(scenario())


def test_a_former_owner_with_nothing_published_cannot_checkpoint(broker: BrokerProcess) -> None:
    """A checkpoint is fenced by itself, also where no output is."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.job() as former:
            async with setting.job() as owner:
                await owner.process(chunk(0, 30))
                await owner.checkpoint()
            await former.process(chunk(0, 1))
            with pytest.raises(FencedError, match="changelog"):
                await former.checkpoint()
            await former.stop(final_checkpoint=False)

    asyncio.run(scenario())


def test_a_pause_keeps_the_state_and_takes_nothing_out_of_turn(broker: BrokerProcess) -> None:
    """What comes during a pause is passed over, and what follows it too, until the same records come again."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.job() as job:
            await job.process(chunk(0, 100))
            await job.pause()
            assert setting.committed == [100]
            await job.process(chunk(100, 150))
            await job.resume()
            await job.process(chunk(150, 200))
            assert sum(counts_of(job).values()) == 100
            await job.process(chunk(100, 230))
            assert sum(counts_of(job).values()) == 230
        reference = CountingFold(0).advance(chunk(0, 230))
        assert await setting.alerts() == [output.value for output in reference.outputs]

    asyncio.run(scenario())


def test_a_pause_in_which_another_had_the_partition_ends_with_its_state(broker: BrokerProcess) -> None:
    """A job that resumes after another worker's checkpoint goes on from that, not from what is in its memory."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.job() as job:
            await job.process(chunk(0, 100))
            await job.pause()
            async with setting.job() as other:
                await other.process(chunk(100, 200))
                await other.checkpoint()
            await job.resume()
            assert sum(counts_of(job).values()) == 200
            await job.process(chunk(150, 300))
            await job.checkpoint()
        assert setting.committed == [100, 200, 300]
        reference = CountingFold(0).advance(chunk(0, 300))
        assert await setting.alerts() == [output.value for output in reference.outputs]

    asyncio.run(scenario())


def test_what_a_lost_checkpoint_leaves_out_is_read_from_the_log(broker: BrokerProcess) -> None:
    """Where the group's offset is beyond the restored state, the job reads what lies between, also with nothing new."""

    async def scenario() -> None:
        setting = await begun(broker)
        async with setting.job() as job:
            await job.process(chunk(200, 230))
            assert sum(counts_of(job).values()) == 230
        async with setting.job() as job:
            await job.process(Chunk.of("source", 0, (), (), (), caught_up=True))
            assert sum(counts_of(job).values()) == 300
        reference = CountingFold(0).advance(chunk(0, 300))
        assert await setting.alerts() == [output.value for output in reference.outputs]

    asyncio.run(scenario())


def test_a_start_waits_for_a_broker_that_is_away(tmp_path: Path) -> None:
    """Begun while the broker is away, or cut short by its death, a start goes on when it is back."""

    async def scenario(kafka: BrokerProcess) -> None:
        setting = await begun(kafka)

        class Interrupted(CountingFold):
            def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
                super().restore(cut, rows)
                if kafka.pid == at_first:
                    kafka.kill()
                    asyncio.run_coroutine_threadsafe(come_back(kafka), loop)

        loop, at_first = asyncio.get_running_loop(), kafka.pid
        setting.spec = replace(setting.spec, new_fold=Interrupted)
        async with setting.job() as job:
            assert kafka.pid not in (None, at_first)
            assert sum(counts_of(job).values()) == 100
            await job.process(chunk(50, 200))
            await job.checkpoint()
        kafka.kill()
        returning = asyncio.create_task(come_back(kafka))
        async with setting.job() as job:
            assert returning.done()
            await job.process(chunk(200, 300))
        reference = CountingFold(0).advance(chunk(0, 300))
        assert await setting.alerts() == [output.value for output in reference.outputs]

    with apache_kafka(tmp_path) as kafka:
        asyncio.run(scenario(kafka))


def test_a_checkpoint_lasts_though_the_broker_dies_right_after_it(tmp_path: Path) -> None:
    """A job that goes on after a pause makes sure that its last checkpoint is one that others can restore."""

    async def scenario(kafka: BrokerProcess) -> None:
        setting = Setting(kafka.bootstrap)
        await setting.create()
        async with setting.job() as job:
            for first in (0, 100, 200):
                await job.process(chunk(first, first + 100))
                await job.checkpoint()
                kafka.kill()
                await job.pause()
                returning = asyncio.create_task(come_back(kafka))
                await job.resume()
                await returning
                async with setting.job() as other:
                    assert sum(counts_of(other).values()) == first + 100
                await job.resume()

    with apache_kafka(tmp_path) as kafka:
        asyncio.run(scenario(kafka))


def test_a_restore_tells_how_far_it_is(kafka: BrokerProcess) -> None:
    """While a restore is under way, job and metrics tell how many records it has read; afterwards, none."""

    async def scenario() -> None:
        setting = Setting(kafka.bootstrap)
        await setting.create()
        async with setting.job() as job:
            await job.process(chunk(0, 5_000, keys=3_000))
            await job.checkpoint()
        told: list[tuple[float, float]] = []

        class Telling(CountingFold):
            def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
                gauge = setting.metrics.restoring_records.labels("counting", "0")
                told.append((setting.started[-1].restoring_records, gauge._value.get()))
                super().restore(cut, rows)

        setting.spec = replace(setting.spec, new_fold=Telling)
        async with setting.job() as job:
            assert told == [(3_001, 3_001)]
            assert job.restoring_records == setting.metrics.restoring_records.labels("counting", "0")._value.get() == 0

    asyncio.run(scenario())


def test_a_state_of_another_version_is_refused(broker: BrokerProcess) -> None:
    """A changelog written by another version of the state is refused, with what to do."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.job() as job:
            await job.process(chunk(0, 10))
            await job.checkpoint()

        class Newer(CountingFold):
            state_version = "counting-2"

        setting.spec = JobSpec(
            "counting", setting.name, setting.spec.changelog_topic, setting.spec.output_topics, Newer
        )
        with pytest.raises(StateVersionError, match=r"counting-1.*counting-2.*riskstream state rebuild"):
            async with setting.job():
                pass

    asyncio.run(scenario())


def test_a_checkpoint_waits_for_the_outputs_that_it_covers(broker: BrokerProcess) -> None:
    """While an output is on its way, nothing that covers it becomes durable: a crash then would lose the output."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.job() as job:
            producer = job._started_outbox()._producer
            assert producer is not None
            send, gate = producer.send_batch, asyncio.Event()

            async def send_late(*arguments: Any, **named: Any) -> Any:
                await gate.wait()
                return await send(*arguments, **named)

            producer.send_batch = send_late
            await job.process(chunk(0, 100))
            checkpointing = asyncio.create_task(job.checkpoint())
            await asyncio.sleep(0.5)
            assert not checkpointing.done()
            assert setting.committed == []
            gate.set()
            await checkpointing
            assert setting.committed == [100]

    asyncio.run(scenario())


def test_a_checkpoint_with_nothing_new_writes_nothing(broker: BrokerProcess) -> None:
    """An idle partition costs no transactions."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.job() as job:
            await job.process(chunk(0, 10))
            await job.checkpoint()
            await job.checkpoint()
        assert setting.committed == [10]

    asyncio.run(scenario())
