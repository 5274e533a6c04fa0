"""The events that readers are sent: numbered, the last of them kept for those who come back, and handed out."""

import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stream.page.client_queue import ClientQueue
from stream.page.request_error import RequestError


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a reader gets that comes back: the events since, or `lost` where they are not all known any more."""

    events: list[bytes]
    lost: bool


class EventLog:
    """Events of one run of the page; their ids are RUN-SEQUENCE, so that those of a former run are recognised."""

    def __init__(self, *, kept: int, queued: int, most_clients: int) -> None:
        self.run = secrets.token_hex(4)
        self.sequence = 0
        self.dropped = 0
        self._queued = queued
        self._most_clients = most_clients
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=kept)
        self._clients: set[ClientQueue] = set()

    @property
    def clients(self) -> int:
        """How many readers there are."""
        return len(self._clients)

    def next_sequence(self) -> int:
        """Return the number of the next event."""
        self.sequence += 1
        return self.sequence

    def publish(self, name: str, sequence: int, data: bytes) -> None:
        """Hand an event to every reader; `data` is JSON of one line. Waits for none of them."""
        event = b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (self.run.encode(), sequence, name.encode(), data)
        self._kept.append((sequence, event))
        for client in self._clients:
            self.dropped += client.put(event)

    @contextmanager
    def join(self) -> Iterator[ClientQueue]:
        """Give a queue, filled while the block lasts; raises RequestError, of status 503, if there are too many."""
        if len(self._clients) >= self._most_clients:
            raise RequestError(
                503, "readers", str(len(self._clients)), f"close a page: at most {self._most_clients} are served"
            )
        client = ClientQueue(self._queued)
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)

    def since(self, last_event_id: str) -> Resumed:
        """Return the events after the one of an id, as a reader names it that comes back."""
        run, _, number = last_event_id.partition("-")
        if run != self.run or not (number.isascii() and number.isdecimal() and len(number) < 20):
            return Resumed([], lost=True)
        last = int(number)
        oldest = self._kept[0][0] if self._kept else self.sequence + 1
        if last > self.sequence or last + 1 < oldest:
            return Resumed([], lost=True)
        return Resumed([event for sequence, event in self._kept if sequence > last], lost=False)

    def close(self) -> None:
        """Let all readers go."""
        for client in self._clients:
            client.close()
