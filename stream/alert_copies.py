"""Publishes re-scored alerts to a topic of their own."""

from collections import Counter
from collections.abc import Sequence

from stream.outbox import Outbox, Record
from stream.published import IDENTITY_HEADER, published_identities
from stream.scored_record import ScoredRecord

WAITING_LIMIT_RECORDS = 20_000


class AlertCopies:
    """Appends alerts to a topic, each in its partition; one that lies there already is not written again."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._outbox = Outbox(bootstrap, client_id="riskstream-replay")
        self._partition = -1
        self._there: Counter[tuple[str, bytes]] = Counter()
        self.written = 0

    async def start(self) -> None:
        """Connect to the broker."""
        await self._outbox.start()

    async def stop(self) -> None:
        """Disconnect; what is not delivered yet is given up."""
        await self._outbox.stop()

    async def write(self, records: Sequence[ScoredRecord]) -> None:
        """Append the alerts among records, which come partition by partition; raises OutboxError after a failure."""
        for one in records:
            if one.stream != "alerts":
                continue
            if one.partition != self._partition:
                self._partition = one.partition
                self._there = await published_identities(self._bootstrap, {self._topic: 0}, one.partition)
            identity = bytes.fromhex(one.identity.decode())
            if self._there[self._topic, identity] > 0:
                self._there[self._topic, identity] -= 1
                continue
            self._outbox.append(self._topic, one.partition, Record(one.key, one.value, ((IDENTITY_HEADER, identity),)))
            self.written += 1
        await self._outbox.room(WAITING_LIMIT_RECORDS)

    async def deliver(self) -> None:
        """Wait until everything is acknowledged; raises OutboxError if something could not be delivered."""
        await self._outbox.delivered(self._outbox.fence())
