"""A record that scoring published, or would publish: an alert, a score, or the volatility after a bar."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from risk.fold import Output
from risk.identity import alert_id, bar_event_id
from schemas.alert import Alert
from schemas.score import Score
from schemas.volatility import Volatility

ScoredStream = Literal["alerts", "scores", "volatility"]
Scored = Alert | Score | Volatility

_DIGEST_BYTES = 16
_DECODERS: Mapping[ScoredStream, msgspec.json.Decoder[Scored]] = {
    "alerts": msgspec.json.Decoder(Alert),
    "scores": msgspec.json.Decoder(Score),
    "volatility": msgspec.json.Decoder(Volatility),
}


class Event(NamedTuple):
    """What a record is about, whichever bundle said it: a transaction of a customer, or a bar of a symbol.

    The place of the source message belongs to it: a transaction that was sent twice is two events.
    """

    event_id: str
    entity_id: str
    source_partition: int
    source_offset: int


@dataclass(frozen=True, slots=True)
class ScoredRecord:
    """A record, as bytes and as the message that they hold."""

    stream: ScoredStream
    partition: int
    key: bytes | None
    value: bytes
    message: Scored

    @property
    def event(self) -> Event:
        """The event that the record is about."""
        message, source = self.message, self.message.source
        if isinstance(message, Volatility):
            event_id, entity_id = bar_event_id(message.symbol, message.bar_end_ns), message.symbol
        else:
            event_id = message.event_id
            entity_id = message.entity_id if isinstance(message, Alert) else message.customer_id
        return Event(event_id, entity_id, source.partition, source.offset)

    @property
    def alert_on(self) -> str | None:
        """The kind of entity that an alert is on; None for what is no alert."""
        return self.message.entity_kind if isinstance(self.message, Alert) else None

    @property
    def number(self) -> float | None:
        """What is measured of the event: of a transaction its score, of a bar the annualised volatility, in percent.

        None for an alert on anything but a customer: its score is on a scale of its own.
        """
        if isinstance(self.message, Volatility):
            return self.message.annualised_volatility_percent
        return None if self.alert_on not in (None, "customer") else self.message.score

    @property
    def event_time_ns(self) -> int:
        """The event's time, for a bar its end: nanoseconds since the Unix epoch."""
        return self.message.bar_end_ns if isinstance(self.message, Volatility) else self.message.event_time_ns

    @property
    def identity(self) -> bytes:
        """The identity that the record has by its contents: 16 bytes where a worker wrote it."""
        match self.message:
            case Alert(alert_id=identity) | Volatility(volatility_id=identity):
                return identity.encode()
            case Score(event_id=event_id, customer_id=customer_id, bundle_version=version):
                return alert_id(event_id, customer_id, version).encode()

    @property
    def digest(self) -> bytes:
        """16 bytes of BLAKE2b that stand for every byte of key and value."""
        # The key's length comes first, so that no other pair gives the same bytes.
        prefix = b"-" if self.key is None else b"%d:" % len(self.key) + self.key
        return hashlib.blake2b(prefix + self.value, digest_size=_DIGEST_BYTES).digest()


def decode_record(stream: ScoredStream, partition: int, key: bytes | None, value: bytes | None) -> ScoredRecord | None:
    """Return a record of a topic, or None where its value is no message of that stream."""
    if value is None:
        return None
    try:
        return ScoredRecord(stream, partition, key, value, _DECODERS[stream].decode(value))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def record_of(output: Output) -> ScoredRecord | None:
    """Return what a fold gave as a record, or None for what is of no scored stream and so not compared."""
    match output.stream:
        case "alerts" | "scores" | "volatility" as stream:
            message = _DECODERS[stream].decode(output.value)
            return ScoredRecord(stream, output.partition, output.key, output.value, message)
        case _:
            return None
