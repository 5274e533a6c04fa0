"""Compares what was published with what scoring again gives, partition by partition; no topic is read here.

Two questions are answered at once. By the same bundle the records must be the same, byte for byte: they are matched by
identity. By another bundle identities differ by design: outcomes and numbers are matched by event.
"""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from schemas.alert import Alert
from schemas.outcome import Outcome
from stream.scored_kind import ScoredKind
from stream.scored_record import Event, ScoredRecord, ScoredStream


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """How the records of a stream agree, each with its multiplicity.

    `equal` were published as they were re-scored, byte for byte; `different` have one identity and other bytes;
    `missing` were re-scored and not published; `surplus` were published and not re-scored. `unreadable` are published
    records that hold no message of their stream, in or out of the span.
    """

    equal: int = 0
    different: int = 0
    missing: int = 0
    surplus: int = 0
    unreadable: int = 0

    @property
    def published(self) -> int:
        """How many records were published in the span."""
        return self.equal + self.different + self.surplus

    @property
    def differences(self) -> int:
        """How many records are not as they should be."""
        return self.different + self.missing + self.surplus + self.unreadable

    def __add__(self, other: "RecordCounts") -> "RecordCounts":
        return RecordCounts(
            self.equal + other.equal,
            self.different + other.different,
            self.missing + other.missing,
            self.surplus + other.surplus,
            self.unreadable + other.unreadable,
        )


class RecordLedger:
    """Matches the records of one stream and partition: all that were published, then those re-scored one by one.

    >>> ledger = RecordLedger()
    >>> for identity, digest in ((b"a", b"1"), (b"b", b"2"), (b"c", b"3")):
    ...     ledger.publish(identity, digest)
    >>> for identity, digest in ((b"a", b"1"), (b"b", b"9"), (b"d", b"4")):
    ...     ledger.rescore(identity, digest)
    >>> ledger.counts()
    RecordCounts(equal=1, different=1, missing=1, surplus=1, unreadable=0)
    """

    def __init__(self) -> None:
        self._published: Counter[tuple[bytes, bytes]] = Counter()
        self._left: Counter[bytes] = Counter()
        self._unlike: Counter[bytes] = Counter()
        self._equal = self._missing = self._unreadable = 0

    def publish(self, identity: bytes, digest: bytes) -> None:
        """Take up a published record."""
        self._published[identity, digest] += 1
        self._left[identity] += 1

    def publish_unreadable(self) -> None:
        """Take up a published record that nobody can read."""
        self._unreadable += 1

    def rescore(self, identity: bytes, digest: bytes) -> None:
        """Take up a re-scored record."""
        if self._published[identity, digest] > 0:
            self._published[identity, digest] -= 1
            self._left[identity] -= 1
            self._equal += 1
        elif self._left[identity] > 0:
            # Whether it stands against one of other bytes is known when the equal ones are taken away.
            self._unlike[identity] += 1
        else:
            self._missing += 1

    def counts(self) -> RecordCounts:
        """Return how the records agree so far."""
        different = sum(min(count, self._left[identity]) for identity, count in self._unlike.items())
        return RecordCounts(
            equal=self._equal,
            different=different,
            missing=self._missing + self._unlike.total() - different,
            surplus=self._left.total() - different,
            unreadable=self._unreadable,
        )


@dataclass(frozen=True, slots=True)
class OutcomeTable:
    """How many events had each pair of outcomes, (published, re-scored); without an alert it is "approve".

    An alert on nothing that is counted otherwise, such as on a feed that went silent, is on an event of its own.

    >>> table = OutcomeTable(Counter({("approve", "review"): 3, ("decline", "approve"): 2, ("review", "decline"): 1}))
    >>> table.newly_alerted, table.no_longer_alerted, table.total
    (3, 2, 6)
    """

    counts: Mapping[tuple[Outcome, Outcome], int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many events there are."""
        return sum(self.counts.values())

    @property
    def newly_alerted(self) -> int:
        """How many events are alerted on by the re-scoring alone."""
        return sum(count for (was, now), count in self.counts.items() if was == "approve" != now)

    @property
    def no_longer_alerted(self) -> int:
        """How many events were alerted on by what was published alone."""
        return sum(count for (was, now), count in self.counts.items() if was != "approve" == now)

    def count(self, published: Outcome, rescored: Outcome) -> int:
        """Return how many events had this pair of outcomes."""
        return self.counts.get((published, rescored), 0)

    def __add__(self, other: "OutcomeTable") -> "OutcomeTable":
        return OutcomeTable(Counter(self.counts) + Counter(other.counts))


@dataclass(frozen=True, slots=True)
class AlertQuality:
    """How many transactions were alerted on, how many are known frauds, and how many are both.

    >>> quality = AlertQuality(alerts=10, frauds=4, hits=3)
    >>> quality.precision, quality.recall
    (0.3, 0.75)
    """

    alerts: int = 0
    frauds: int = 0
    hits: int = 0

    @property
    def precision(self) -> float | None:
        """The fraction of the alerts that are known frauds; None without alerts."""
        return self.hits / self.alerts if self.alerts else None

    @property
    def recall(self) -> float | None:
        """The fraction of the known frauds that were alerted on; None without frauds."""
        return self.hits / self.frauds if self.frauds else None

    def __add__(self, other: "AlertQuality") -> "AlertQuality":
        return AlertQuality(self.alerts + other.alerts, self.frauds + other.frauds, self.hits + other.hits)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was published against what scoring again gave, of one kind of stream.

    `records` has each of the kind's streams. `versions` counts the published records by version of the bundle;
    `versions_elsewhere` made those out of the span. `outcomes` holds those of every event that was re-scored.
    `number_differences` are re-scored less published, float64[n], for the events whose number was published.
    `not_rescored` counts published alerts on events that were not re-scored; `published` and `rescored` tell how good
    the alerts on re-scored transactions are.
    """

    records: Mapping[ScoredStream, RecordCounts]
    versions: Mapping[str, int]
    versions_elsewhere: frozenset[str]
    outcomes: OutcomeTable
    number_differences: npt.NDArray[np.float64]
    not_rescored: int
    published: AlertQuality
    rescored: AlertQuality

    def is_of(self, version: str) -> bool:
        """Tell whether this bundle published everything in the span, so that the records must be equal.

        Where the span holds nothing, it is who published elsewhere that counts, and where nobody did, all is missing.
        """
        if self.versions:
            return set(self.versions) == {version}
        return not self.versions_elsewhere or version in self.versions_elsewhere

    @property
    def compared_streams(self) -> tuple[ScoredStream, ...]:
        """The streams whose records must be equal: scores only if any were published, for they need not be."""
        return tuple(
            stream
            for stream, found in self.records.items()
            if stream != "scores" or found.published or found.unreadable
        )

    @property
    def differences(self) -> int:
        """How many records are not as they should be if the same bundle made them."""
        return sum(self.records[stream].differences for stream in self.compared_streams)


class PartitionComparison:
    """Compares one partition of one kind: take up all that was published, then what is re-scored, then ask.

    It holds what was published in the span, as hashes and small records, and of what is re-scored the alerts'
    outcomes. `frauds` are the known ones, as (transaction id, customer id).
    """

    def __init__(self, kind: ScoredKind, frauds: Set[tuple[str, str]]) -> None:
        self._event_stream = kind.event_stream
        self._frauds = frauds
        self._ledgers: dict[ScoredStream, RecordLedger] = {stream: RecordLedger() for stream in kind.streams}
        self._versions: Counter[str] = Counter()
        self._elsewhere: set[str] = set()
        self._published: dict[Event, Outcome] = {}
        self._rescored: dict[Event, Outcome] = {}
        self._numbers: dict[Event, float] = {}
        self._number_differences = array("d")
        self._events = 0
        self._met: set[Event] = set()
        self._fraud_events: list[Event] = []

    def take_published(self, stream: ScoredStream, record: ScoredRecord | None) -> None:
        """Take up a record of the span; None stands for one that cannot be read."""
        if record is None:
            self._ledgers[stream].publish_unreadable()
            return
        self._ledgers[stream].publish(record.identity, record.digest)
        self._versions[record.message.bundle_version] += 1
        if isinstance(record.message, Alert):
            self._published[record.event] = record.message.outcome
        if (number := record.number) is not None:
            self._numbers[record.event] = number

    def pass_over(self, record: ScoredRecord) -> None:
        """Note a published record out of the span, which tells only who publishes."""
        self._elsewhere.add(record.message.bundle_version)

    def take_rescored(self, records: Sequence[ScoredRecord]) -> None:
        """Take up re-scored records of the span, among them all of an event that has one among them."""
        events = set()
        for record in records:
            self._ledgers[record.stream].rescore(record.identity, record.digest)
            event = record.event
            if isinstance(record.message, Alert):
                self._rescored[event] = record.message.outcome
                events.add(event)
            elif record.stream == self._event_stream:
                events.add(event)
                number, published = record.number, self._numbers.get(event)
                if number is not None and published is not None:
                    self._number_differences.append(number - published)
        self._events += len(events)
        self._met |= events & self._published.keys()
        self._fraud_events += [event for event in events if (event.event_id, event.entity_id) in self._frauds]

    def result(self) -> Comparison:
        """Return the comparison of what was taken up."""
        # Events without an alert on either side are not held: they are those that are left.
        alerted = self._met | self._rescored.keys()
        outcomes = Counter(map(self._outcomes, alerted))
        outcomes["approve", "approve"] = self._events - len(alerted)
        frauds = Counter(map(self._outcomes, self._fraud_events))
        return Comparison(
            records={stream: ledger.counts() for stream, ledger in self._ledgers.items()},
            versions=dict(self._versions),
            versions_elsewhere=frozenset(self._elsewhere),
            outcomes=OutcomeTable(+outcomes),
            number_differences=np.array(self._number_differences, dtype=np.float64),
            not_rescored=len(self._published) - len(self._met),
            published=_quality(outcomes, frauds, side=0),
            rescored=_quality(outcomes, frauds, side=1),
        )

    def _outcomes(self, event: Event) -> tuple[Outcome, Outcome]:
        return self._published.get(event, "approve"), self._rescored.get(event, "approve")


def _quality(
    outcomes: Mapping[tuple[Outcome, Outcome], int], fraud_outcomes: Mapping[tuple[Outcome, Outcome], int], side: int
) -> AlertQuality:
    return AlertQuality(
        alerts=sum(count for pair, count in outcomes.items() if pair[side] != "approve"),
        frauds=sum(fraud_outcomes.values()),
        hits=sum(count for pair, count in fraud_outcomes.items() if pair[side] != "approve"),
    )


def total(kind: ScoredKind, parts: Iterable[Comparison]) -> Comparison:
    """Return the comparison of all partitions of a kind together, from those of each."""
    found = list(parts)
    versions: Counter[str] = Counter()
    for one in found:
        versions.update(one.versions)
    return Comparison(
        records={stream: sum((one.records[stream] for one in found), start=RecordCounts()) for stream in kind.streams},
        versions=dict(versions),
        versions_elsewhere=frozenset().union(*(one.versions_elsewhere for one in found)),
        outcomes=sum((one.outcomes for one in found), start=OutcomeTable()),
        number_differences=np.concatenate([np.empty(0), *(one.number_differences for one in found)]),
        not_rescored=sum(one.not_rescored for one in found),
        published=sum((one.published for one in found), start=AlertQuality()),
        rescored=sum((one.rescored for one in found), start=AlertQuality()),
    )
