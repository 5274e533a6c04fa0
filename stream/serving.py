"""Runs an app until it is told to stop or fails."""

import asyncio

import structlog

from stream.jobs_app import JobsApp, consumer_of

log = structlog.get_logger(__name__)

STOP_TIMEOUT_SECONDS = 30.0


async def serve(app: JobsApp, stop: asyncio.Event) -> bool:
    """Run the app until `stop` is set or it fails; return whether it ended well.

    Ending well means that the last checkpoint of every partition is durable.
    """
    starting = asyncio.ensure_future(app.start())
    stopped = asyncio.ensure_future(stop.wait())
    failed = asyncio.ensure_future(_failure(app))
    await asyncio.wait({stopped, failed}, return_when=asyncio.FIRST_COMPLETED)
    for waiting in (stopped, failed):
        waiting.cancel()
    ended_well = not _has_failed(app)
    starting.cancel()
    await asyncio.gather(starting, stopped, failed, return_exceptions=True)
    try:
        await asyncio.wait_for(app.stop(), STOP_TIMEOUT_SECONDS)
    except TimeoutError:
        log.error("stop_timed_out", seconds=STOP_TIMEOUT_SECONDS)
        return False
    return ended_well and app.jobs.failure is None


async def _failure(app: JobsApp) -> None:
    while not _has_failed(app):
        await asyncio.sleep(0.1)


def _has_failed(app: JobsApp) -> bool:
    return app.jobs.failure is not None or app.crashed or consumer_of(app).coordination_ended()
