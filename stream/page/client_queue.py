"""What waits to be sent to one reader: the newest events, and how many older ones were dropped."""

import asyncio
from collections import deque


class ClientQueue:
    """At most `most` events; the oldest goes when one more comes, and is counted.

    >>> queue = ClientQueue(2)
    >>> for event in (b"1", b"2", b"3"):
    ...     dropped = queue.put(event)
    >>> asyncio.run(queue.take(100))
    (1, [b'2', b'3'])
    """

    def __init__(self, most: int) -> None:
        self._events: deque[bytes] = deque(maxlen=most)
        self._dropped = 0
        self._filled = asyncio.Event()
        self.closed = False

    def __len__(self) -> int:
        return len(self._events)

    def put(self, event: bytes) -> int:
        """Add an event; return how many were dropped for it, 0 or 1. Never waits."""
        dropped = int(len(self._events) == self._events.maxlen)
        self._dropped += dropped
        self._events.append(event)
        self._filled.set()
        return dropped

    async def take(self, most_bytes: int) -> tuple[int, list[bytes]]:
        """Wait for an event; return how many were dropped since the last call, and the oldest that wait.

        They are as many as `most_bytes` holds, but at least one; once the queue is closed, and empty, none.
        """
        await self._filled.wait()
        dropped, self._dropped = self._dropped, 0
        events: list[bytes] = []
        size = 0
        while self._events and (not events or size + len(self._events[0]) <= most_bytes):
            events.append(self._events.popleft())
            size += len(events[-1])
        if not self._events and not self.closed:
            self._filled.clear()
        return dropped, events

    def close(self) -> None:
        """Let whoever waits go."""
        self.closed = True
        self._filled.set()
