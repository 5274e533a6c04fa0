"""What the monitor makes of records: alerts are counted, and held, with scores, against the labels that come."""

from collections.abc import Sequence
from typing import Literal, TypeVar

import msgspec
from aiokafka import ConsumerRecord

from risk.chunk import Chunk
from risk.decode import LabelColumns, decode_labels
from risk.event_time import split_foretold, split_future
from risk.live_performance import CalibrationSource, LivePerformance
from schemas.alert import Alert
from schemas.score import Score
from stream.monitor.monitor_metrics import MonitorMetrics
from stream.settings import Settings

WatchedTopic = Literal["alerts", "labels", "scores"]

TRANSACTION_LIMIT = 500_000
"""Most transactions that are held at once: some 170 MB, and never more than a second of work to let go of."""

_DAY_NS = 86_400_000_000_000
_ALERTS = msgspec.json.Decoder(Alert)
_SCORES = msgspec.json.Decoder(Score)
Message = TypeVar("Message", Alert, Score)


def watched_topics(settings: Settings) -> tuple[WatchedTopic, ...]:
    """Return the topics that are watched: that of scores only where every score is published."""
    return ("alerts", "labels", "scores") if settings.publish_scores else ("alerts", "labels")


class Watch:
    """Takes up records of the watched topics, in any order among these."""

    def __init__(self, settings: Settings, metrics: MonitorMetrics) -> None:
        self._metrics = metrics
        self._topics = {topic: settings.topic(topic) for topic in watched_topics(settings)}
        self._source: CalibrationSource = "scores" if settings.publish_scores else "alerts"
        self.performance = LivePerformance(
            window_ns=int(settings.monitor_window_days * _DAY_NS), limit=TRANSACTION_LIMIT, calibrate_on=self._source
        )
        for name in self._topics.values():
            metrics.unreadable.labels(name)

    def take(self, topic: WatchedTopic, records: Sequence[ConsumerRecord], *, new: bool) -> None:
        """Take up records of a topic; those that cannot be read are counted and left.

        `new` ones came since the monitor started. Others raise no counter: what lay there before happened before, and
        a counter that began with it would look like a burst.
        """
        readable = 0
        match topic:
            case "alerts":
                alerts = _decoded(_ALERTS, records)
                readable = len(alerts)
                self.performance.add_alerts(alerts)
                if new:
                    self._metrics.count_alerts(alerts)
                else:
                    self._metrics.show_codes(alerts)
            case "scores":
                scores = _decoded(_SCORES, records)
                readable = len(scores)
                self.performance.add_scores(scores)
            case "labels":
                labels = _labels(records)
                readable = len(labels.transaction_id)
                self.performance.add_labels(labels)
        if new:
            self._metrics.unreadable.labels(self._topics[topic]).inc(len(records) - readable)

    def show(self) -> None:
        """Show how good the alerts were."""
        self._metrics.show_performance(self.performance, self._source)


def _decoded(decoder: msgspec.json.Decoder[Message], records: Sequence[ConsumerRecord]) -> list[Message]:
    """Return the messages that can be read."""
    messages = []
    for record in records:
        try:
            messages.append(decoder.decode(record.value or b""))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return messages


def _labels(records: Sequence[ConsumerRecord]) -> LabelColumns:
    """Return the labels that a worker takes too: one from the future would end the window of all others."""
    chunk = Chunk.of(
        topic="labels",
        partition=records[0].partition,
        offsets=tuple(record.offset for record in records),
        keys=tuple(record.key for record in records),
        values=tuple(record.value for record in records),
        caught_up=False,
        timestamps_ms=tuple(record.timestamp for record in records),
    )
    labels, _ = decode_labels(chunk.values)
    labels, _ = split_future(labels, chunk)
    labels, _ = split_foretold(labels)
    return labels
