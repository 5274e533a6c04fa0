"""The Faust app around the jobs: an agent for each, and what happens when partitions come and go."""

import asyncio
from collections.abc import Mapping
from typing import Any

import faust
from faust.types import TP
from faust.types.streams import StreamT

from stream.chunk_transport import SCHEME, ChunkConsumer, ChunkSchema, register_chunk_transport
from stream.health import add_pages
from stream.job_spec import JobSpec
from stream.jobs import Jobs
from stream.metrics import Metrics
from stream.settings import Settings


class JobsApp(faust.App):
    """A Faust app with what it runs: the jobs and the metrics."""

    jobs: Jobs
    metrics: Metrics

    def _create_directories(self) -> None:
        """Make none: what a worker keeps is in Kafka, and it runs without a disk to write to."""


def create_jobs_app(settings: Settings, specs: tuple[JobSpec, ...], metrics: Metrics) -> JobsApp:
    """Return an app that runs the given jobs."""
    register_chunk_transport()
    app = JobsApp(
        settings.application_id,
        broker=f"{SCHEME}://{settings.broker}",
        web_bind=settings.web_host,
        web_host=settings.web_host,
        web_port=settings.web_port,
        web_enabled=True,
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_buffer_maxsize=2,
        stream_wait_empty=False,
        broker_max_poll_records=4096,
        consumer_max_fetch_size=12 << 20,
        consumer_auto_offset_reset="earliest",
        broker_session_timeout=settings.session_timeout_seconds,
        # Faust refuses a session longer than a request may take, whose default is 90 s.
        broker_request_timeout=max(90.0, settings.session_timeout_seconds),
        broker_heartbeat_interval=min(1.0, settings.session_timeout_seconds / 4),
        consumer_group_instance_id=settings.instance_id or None,
        # The assignor requires that a member comes back under the address it left; ours are looked up by nobody.
        canonical_url=f"http://{settings.instance_id}" if settings.instance_id else None,
        # A restore is part of taking a partition up; polling goes on during it.
        broker_max_poll_interval=300.0,
    )

    async def commit_offsets(offsets: Mapping[TP, int]) -> bool:
        return await consumer_of(app).commit_offsets(offsets)

    jobs = Jobs(
        specs,
        bootstrap=settings.broker,
        application_id=settings.application_id,
        checkpoint_interval_seconds=settings.checkpoint_interval_seconds,
        metrics=metrics,
        commit_offsets=commit_offsets,
    )
    app.jobs, app.metrics = jobs, metrics
    for spec in specs:
        topic = app.topic(spec.source_topic, schema=ChunkSchema(), acks=False)
        app.agent(topic, name=spec.name)(_agent(app))
    add_pages(app, jobs, metrics)

    @app.on_partitions_assigned.connect(weak=False)
    async def take_up(sender: Any, assigned: set[TP], **_: Any) -> None:
        jobs.assign(assigned)

    @app.on_partitions_revoked.connect(weak=False)
    async def let_go(sender: Any, revoked: set[TP], **_: Any) -> None:
        await jobs.revoke(revoked)

    @app.on_before_shutdown.connect(weak=False)
    async def finish(sender: Any, **_: Any) -> None:
        await jobs.revoke_all()

    @app.timer(1.0)  # type: ignore[untyped-decorator]
    async def show_lag() -> None:
        positions = consumer_of(app).positions()
        metrics.show_lag({tp: max(0, end - position) for tp, (position, end) in positions.items()})

    return app


def consumer_of(app: faust.App) -> ChunkConsumer:
    """Return the app's consumer, which the chunk transport made."""
    consumer = app.consumer
    assert isinstance(consumer, ChunkConsumer)
    return consumer


def _agent(app: JobsApp) -> Any:
    async def read_chunks(stream: StreamT[Any]) -> None:
        async for event in stream.events():
            for chunk in event.value:
                await app.jobs.process(chunk)
                # Nothing in it need have waited: what was handed over is sent before the next partition's turn.
                await asyncio.sleep(0)
            consumer_of(app).finish()

    return read_chunks
