"""The kinds of stream that are scored, each by a job and a bundle of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stream.scored_record import ScoredRecord, ScoredStream

KindName = Literal["transactions", "ticks", "rates"]


@dataclass(frozen=True, slots=True)
class ScoredKind:
    """A kind of stream: what scores it, and what is published of it.

    `job` scores it with the bundle of `bundle`, and publishes `streams`. Of these, `event_stream` holds one record for
    each event; `events` says what these are called, `number` what is measured of each. The alerts of all kinds lie in
    one topic: its own are those on an `entity_kind`. So do forecasts: its own are of messages on the job's topic.

    >>> KINDS["ticks"].job, KINDS["ticks"].events, KINDS["ticks"].entity_kind
    ('ticks', 'bars', 'symbol')
    """

    job: str
    bundle: Literal["transactions", "market"]
    streams: tuple[ScoredStream, ...]
    event_stream: ScoredStream
    events: str
    number: str
    entity_kind: str

    def has(self, record: ScoredRecord) -> bool:
        """Tell whether a record of its streams is its own, and not another kind's alert or forecast."""
        if record.stream == "forecasts":
            return record.message.source.topic.endswith(self.job)
        return record.alert_on is None or record.alert_on == self.entity_kind


KINDS: Mapping[KindName, ScoredKind] = {
    "transactions": ScoredKind(
        job="merchants",
        bundle="transactions",
        streams=("scores", "alerts"),
        event_stream="scores",
        events="transactions",
        number="score",
        entity_kind="customer",
    ),
    "ticks": ScoredKind(
        job="ticks",
        bundle="market",
        streams=("volatility", "forecasts", "alerts"),
        event_stream="volatility",
        events="bars",
        number="annualised volatility, %",
        entity_kind="symbol",
    ),
    "rates": ScoredKind(
        job="rates",
        bundle="market",
        streams=("curves", "forecasts", "alerts"),
        event_stream="curves",
        events="curves",
        number="volatility of the level, bp",
        entity_kind="curve",
    ),
}
"""By the name of the topic that the events come on. The first hops need not run again: their results lie in
merchant-events, in the order in which the merchants saw them, and depend on no bundle."""
