"""The page's process: the application and what fills it, until it is told to stop or one of them fails."""

import asyncio

import structlog
from aiohttp import web

from stream.logs import configure_logs
from stream.page.page_app import create_page
from stream.settings import Settings
from stream.stop_signal import stop_on_signal

log = structlog.get_logger(__name__)

STOP_SECONDS = 2.0
LONGEST_LINE_BYTES = 64 * 1024
"""Of a request: a path may hold an entity's name, however long."""


def run_page(settings: Settings) -> int:
    """Run the page in this process until SIGTERM or SIGINT; return the exit status: 0, or 1 after a failure.

    Raises AccessError where the settings would show it to strangers, and OSError where the port cannot be had.
    """
    configure_logs(settings.log_level)
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    page = create_page(settings)
    stop = stop_on_signal()
    runner = web.AppRunner(
        page.app,
        access_log=None,
        shutdown_timeout=STOP_SECONDS,
        # A reader that leaves makes room for another at once.
        handler_cancellation=True,
        max_line_size=LONGEST_LINE_BYTES,
        max_field_size=LONGEST_LINE_BYTES,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.page_host, settings.page_port).start()
        log.info("page_starting", page=f"http://{settings.page_host}:{settings.page_port}/")
        failed = await _follow([asyncio.create_task(follow()) for follow in page.followers], stop)
    finally:
        await runner.cleanup()
    log.info("page_stopped", ended_well=not failed)
    return 1 if failed else 0


async def _follow(tasks: list[asyncio.Task[None]], stop: asyncio.Event) -> bool:
    """Wait until told to stop, or until a task ends, which none does that is well; tell whether one did."""
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    ended = [task for task in tasks if task.done()]
    for task in ended:
        log.error("page_failed", exc_info=task.exception())
    for one in (stopped, *tasks):
        one.cancel()
    await asyncio.gather(stopped, *tasks, return_exceptions=True)
    return bool(ended)
