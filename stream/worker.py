"""A worker process: topics first, then the app, until it is told to stop or fails."""

import asyncio
import gc

import structlog

from stream.app import create_app
from stream.bundles import read_bundles
from stream.logs import configure_logs
from stream.serving import serve
from stream.settings import Settings
from stream.stop_signal import stop_on_signal
from stream.topics import create_topics, topics
from stream.warm_up import warm_up

log = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> int:
    """Run a worker in this process until SIGTERM or SIGINT; return the exit status: 0, or 1 after a failure."""
    configure_logs(settings.log_level)
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    bundles = read_bundles(settings)
    warm_up(settings, bundles)
    # Before anyone subscribes: a consumer that finds no topic would not notice it for minutes.
    await create_topics(
        settings.broker, topics(settings.topic_prefix, settings.partitions, settings.replication_factor)
    )
    stop = stop_on_signal()
    app = create_app(settings, bundles)
    # What is loaded by now lives as long as the worker. To look through it all for garbage takes 0.1 s, and records by
    # the ten thousand had that done every other second.
    gc.collect()
    gc.freeze()
    log.info(
        "worker_starting",
        bundles={one.manifest.name: one.version for one in bundles.all()},
        metrics=f"http://{settings.web_host}:{settings.web_port}/metrics",
    )
    ended_well = await serve(app, stop)
    log.info("worker_stopped", ended_well=ended_well)
    return 0 if ended_well else 1
