import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from counting_fold import CountingFold
from faust.transport.drivers import aiokafka as driver

from stream.broker_process import BrokerProcess, free_port
from stream.chunk_transport import ChunkConsumer
from stream.job_spec import JobSpec
from stream.jobs_app import JobsApp, consumer_of, create_jobs_app
from stream.metrics import Metrics
from stream.outbox import Outbox
from stream.publisher import publish
from stream.serving import serve
from stream.settings import Settings
from stream.topics import Topic, create_topics

PARTITIONS = 4


class Setting:
    """Topics and a group of a test's own."""

    def __init__(self, bootstrap: str) -> None:
        name = f"shell-{uuid4().hex[:8]}"
        self.settings = Settings(broker=bootstrap, application_id=name, partitions=PARTITIONS, web_port=free_port())
        self.spec = JobSpec("counting", name, f"{name}-changelog", {"alerts": f"{name}-alerts"}, CountingFold)

    async def create(self) -> None:
        """Make the topics."""
        compacted = {"cleanup.policy": "compact"}
        await create_topics(
            self.settings.broker,
            (
                Topic(self.spec.source_topic, PARTITIONS, 1),
                Topic(self.spec.output_topics["alerts"], PARTITIONS, 1),
                Topic(self.spec.changelog_topic, PARTITIONS, 1, compacted),
            ),
        )

    async def send(self, first: int, last: int) -> None:
        """Publish records first..last-1, of fifty keys in turn."""
        outbox = Outbox(self.settings.broker, client_id="sender")
        await outbox.start()
        messages = ((f"key-{at % 50}", b"%d" % at) for at in range(first, last))
        await publish(outbox, self.spec.source_topic, PARTITIONS, messages)
        await outbox.stop()

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[JobsApp]:
        """Give a running app; leaving stops it as SIGTERM does, and it must end well."""
        app = create_jobs_app(self.settings, (self.spec,), Metrics(1))
        stop = asyncio.Event()
        serving = asyncio.create_task(serve(app, stop))
        try:
            yield app
        finally:
            stop.set()
            assert await serving

    async def committed(self) -> dict[int, tuple[int, int]]:
        """Return each partition's committed and end offset."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.broker, group_id=self.settings.application_id, enable_auto_commit=False
        )
        await consumer.start()
        at = [KafkaPartition(self.spec.source_topic, number) for number in range(PARTITIONS)]
        ends = await consumer.end_offsets(at)
        found = {one.partition: ((await consumer.committed(one)) or 0, ends[one]) for one in at}
        await consumer.stop()
        return found


def scored(app: JobsApp) -> int:
    """Return how many records the app has taken up."""
    return int(app.metrics.records_in.labels("counting")._value.get())


async def until_scored(app: JobsApp, count: int) -> None:
    """Wait until that many were taken up."""
    async with asyncio.timeout(60):
        while scored(app) < count:
            await asyncio.sleep(0.02)


def counts(app: JobsApp) -> int:
    """Return what all folds of the app have counted together."""
    folds = [job._fold for job in app.jobs._jobs.values()]
    return sum(sum(fold.counts.values()) for fold in folds if isinstance(fold, CountingFold))


def test_a_worker_on_an_empty_broker_begins_without_a_restart(broker: BrokerProcess) -> None:
    """A worker started before anything is sent takes up what comes, tells its lag, and is ready."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        async with setting.worker() as app:
            async with asyncio.timeout(30):
                while not (app.jobs.assigned_once and app.jobs.ready and app.jobs.held == PARTITIONS):
                    await asyncio.sleep(0.05)
            await setting.send(0, 5_000)
            await until_scored(app, 5_000)
            web = f"http://127.0.0.1:{setting.settings.web_port}"
            ready = await asyncio.to_thread(lambda: urllib.request.urlopen(f"{web}/ready").read())
            assert json.loads(ready) == {
                "status": "ok",
                "partitions": PARTITIONS,
                "restored": PARTITIONS,
                "restoring_records": 0,
            }
            assert b"riskstream_records_consumed_total" in await asyncio.to_thread(
                lambda: urllib.request.urlopen(f"{web}/metrics").read()
            )

    asyncio.run(scenario())


def test_a_stopped_worker_leaves_off_where_the_next_goes_on(broker: BrokerProcess) -> None:
    """A graceful stop checkpoints everything: all is committed, and the next worker counts on from there."""

    async def scenario() -> None:
        setting = Setting(broker.bootstrap)
        await setting.create()
        await setting.send(0, 20_000)
        async with setting.worker() as first:
            await until_scored(first, 20_000)
        assert all(committed == end for committed, end in (await setting.committed()).values())
        await setting.send(20_000, 30_000)
        async with setting.worker() as second:
            await until_scored(second, 10_000)
            await asyncio.sleep(0.3)
            assert scored(second) == 10_000
            assert counts(second) == 30_000

    asyncio.run(scenario())


def test_partitions_are_shared_by_workers(kafka: BrokerProcess) -> None:
    """A second worker takes over some partitions with their state, and nothing is counted twice or lost."""

    async def scenario() -> None:
        setting = Setting(kafka.bootstrap)
        await setting.create()
        await setting.send(0, 20_000)
        async with setting.worker() as first:
            await until_scored(first, 20_000)
            other = Setting(kafka.bootstrap)
            other.settings = setting.settings.model_copy(update={"web_port": free_port()})
            other.spec = setting.spec
            async with other.worker() as second:
                async with asyncio.timeout(60):
                    while not (second.jobs.held and second.jobs.ready and first.jobs.held < PARTITIONS):
                        await asyncio.sleep(0.1)
                await setting.send(20_000, 40_000)
                async with asyncio.timeout(60):
                    while counts(first) + counts(second) < 40_000:
                        await asyncio.sleep(0.1)
                await asyncio.sleep(0.5)
                assert counts(first) + counts(second) == 40_000
                assert first.jobs.held + second.jobs.held == PARTITIONS

    asyncio.run(scenario())


def test_the_insides_that_the_transport_leans_on_are_there(kafka: BrokerProcess) -> None:
    """What the transport reads from Faust and aiokafka has the shape it expects, and chunks are whole and in order."""

    async def scenario() -> None:
        setting = Setting(kafka.bootstrap)
        await setting.create()
        await setting.send(0, 12_000)
        async with setting.worker() as app:
            await until_scored(app, 12_000)
            consumer = consumer_of(app)
            assert isinstance(consumer, ChunkConsumer)
            assert isinstance(consumer, driver.Consumer)
            inner = consumer._thread._ensure_consumer()
            assert inner._fetch_max_wait_ms == 250
            assert inner._fetcher._fetch_max_wait_ms == 250
            positions = consumer.positions()
            assert len(positions) == PARTITIONS
            assert all(position == end for position, end in positions.values())
            sizes = app.metrics.chunk_records.labels("counting")
            chunks = sum(bucket.get() for bucket in sizes._buckets)
            assert chunks < 12_000 / 50
            assert not consumer._acked, "Faust must not count offsets of its own"

    asyncio.run(scenario())
