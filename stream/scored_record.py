"""A record that scoring published, or would publish: an alert, or what is said of a transaction, a bar or a curve."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from risk.identity import alert_id, bar_event_id
from risk.rates.curve_identity import curve_event_id
from schemas.alert import Alert
from schemas.curve import Curve
from schemas.forecast import Forecast
from schemas.score import Score
from schemas.volatility import Volatility

if TYPE_CHECKING:
    # It brings numba, which verbs that only read need not wait for.
    from risk.fold import Output

ScoredStream = Literal["alerts", "scores", "volatility", "forecasts", "curves"]
Scored = Alert | Score | Volatility | Forecast | Curve

_DIGEST_BYTES = 16
_DECODERS: Mapping[ScoredStream, msgspec.json.Decoder[Scored]] = {
    "alerts": msgspec.json.Decoder(Alert),
    "scores": msgspec.json.Decoder(Score),
    "volatility": msgspec.json.Decoder(Volatility),
    "forecasts": msgspec.json.Decoder(Forecast),
    "curves": msgspec.json.Decoder(Curve),
}


class Event(NamedTuple):
    """What a record is about, whichever bundle said it: a customer's transaction, a symbol's bar, a currency's curve.

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
        source = self.message.source
        match self.message:
            case Alert(event_id=event_id, entity_id=entity_id) | Score(event_id=event_id, customer_id=entity_id):
                return Event(event_id, entity_id, source.partition, source.offset)
            case Volatility(symbol=symbol, bar_end_ns=end_ns) | Forecast(symbol=symbol, bar_end_ns=end_ns):
                return Event(bar_event_id(symbol, end_ns), symbol, source.partition, source.offset)
            case Curve(currency=currency, event_time_ns=time_ns):
                return Event(curve_event_id(currency, time_ns), currency, source.partition, source.offset)

    @property
    def event_time_ns(self) -> int:
        """The event's time, for a bar its end: nanoseconds since the Unix epoch."""
        message = self.message
        return message.bar_end_ns if isinstance(message, Volatility | Forecast) else message.event_time_ns

    @property
    def alert_on(self) -> str | None:
        """The kind of entity that an alert is on; None for what is no alert."""
        return self.message.entity_kind if isinstance(self.message, Alert) else None

    @property
    def number(self) -> float | None:
        """What is measured of the event, if the record tells it.

        That is of a transaction its score, of a bar the annualised volatility in percent, of a curve the volatility of
        its level in basis points. The scores of alerts on anything but a customer are on a scale of their own.
        """
        match self.message:
            case Score(score=score) | Alert(entity_kind="customer", score=score):
                return score
            case Volatility(annualised_volatility_percent=percent):
                return percent
            case Curve(level=level):
                return level.volatility_bp
            case _:
                return None

    @property
    def identity(self) -> bytes:
        """The identity that the record has by its contents: 16 bytes where a worker wrote it."""
        match self.message:
            case (
                Alert(alert_id=identity)
                | Volatility(volatility_id=identity)
                | Forecast(forecast_id=identity)
                | Curve(curve_id=identity)
            ):
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


def record_of(output: "Output") -> ScoredRecord | None:
    """Return what a fold gave as a record, or None for what is of no scored stream and so not compared."""
    match output.stream:
        case "alerts" | "scores" | "volatility" | "forecasts" | "curves" as stream:
            message = _DECODERS[stream].decode(output.value)
            return ScoredRecord(stream, output.partition, output.key, output.value, message)
        case _:
            return None
