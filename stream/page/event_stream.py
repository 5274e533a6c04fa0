"""Server-sent events: what a reader's browser is told as it happens."""

import asyncio

import msgspec
from aiohttp import web

from stream.page.client_queue import ClientQueue
from stream.page.event_log import EventLog

HEARTBEAT_SECONDS = 15.0
WRITE_BYTES = 32 * 1024
"""Of events, or one event, are written at once: so much of its own does a reader have that takes nothing."""
WRITE_SECONDS = 60.0
"""A reader that takes nothing for as long is cut off; its browser comes back, and gets what is kept."""
_RETRY = b"retry: 2000\n\n"


class EventStream:
    """The handler of /events."""

    def __init__(self, events: EventLog) -> None:
        self._events = events

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Send what is kept since Last-Event-ID, then what comes, until the reader leaves or the page ends."""
        with self._events.join() as queue:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
            await response.prepare(request)
            await _write(response, _RETRY + self._greeting(request.headers.get("Last-Event-ID")))
            while not queue.closed:
                await _write(response, await _next(queue))
            return response

    def _greeting(self, last_event_id: str | None) -> bytes:
        """Return what a reader missed, and then where the log is: an id of its own, from which to come back."""
        missed = b""
        if last_event_id is not None:
            resumed = self._events.since(last_event_id)
            missed = b"event: lost\ndata: {}\n\n" if resumed.lost else b"".join(resumed.events)
        run, sequence = self._events.run, self._events.sequence
        told = msgspec.json.encode({"run": run, "sequence": sequence})
        return missed + b"id: %s-%d\nevent: hello\ndata: %s\n\n" % (run.encode(), sequence, told)


async def _next(queue: ClientQueue) -> bytes:
    try:
        async with asyncio.timeout(HEARTBEAT_SECONDS):
            dropped, events = await queue.take(WRITE_BYTES)
    except TimeoutError:
        return b": still here\n\n"
    told = b'event: dropped\ndata: {"events":%d}\n\n' % dropped if dropped else b""
    return told + b"".join(events)


async def _write(response: web.StreamResponse, data: bytes) -> None:
    try:
        async with asyncio.timeout(WRITE_SECONDS):
            await response.write(data)
    except TimeoutError:
        raise ConnectionResetError("the reader takes nothing") from None
