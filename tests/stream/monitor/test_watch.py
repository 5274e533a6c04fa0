import pytest
from aiokafka import ConsumerRecord

from schemas.encoding import encode
from schemas.label import Label
from stream.monitor.monitor_metrics import MonitorMetrics
from stream.monitor.watch import Watch, WatchedTopic, watched_topics
from stream.settings import Settings

HOUR_NS = 3_600_000_000_000
NOW_NS = 1_767_225_600_000_000_000


def record(value: bytes | None) -> ConsumerRecord:
    """Return a record that was written now."""
    return ConsumerRecord("labels", 0, 0, NOW_NS // 1_000_000, 0, None, value, None, 0, 0, ())


def label(time_ns: int) -> bytes:
    """Return a fraud report that was made at a time, an hour after its transaction."""
    return encode(Label(1, "t", "c", "m", time_ns - HOUR_NS, time_ns, True))


def test_a_label_from_the_future_does_not_end_the_window() -> None:
    """A label that workers refuse is counted as unreadable, and those of today stay."""
    metrics = MonitorMetrics()
    watch = Watch(Settings(), metrics)
    watch.take("labels", [record(label(NOW_NS)), record(label(NOW_NS + 9_000 * HOUR_NS))], new=True)
    assert len(watch.performance) == 1
    assert watch.performance.clock_ns == NOW_NS
    unreadable = metrics.registry.get_sample_value("riskstream_monitor_unreadable_records_total", {"topic": "labels"})
    assert unreadable == 1


@pytest.mark.parametrize("topic", ["alerts", "scores", "labels"])
def test_what_is_no_message_is_counted_and_left(topic: WatchedTopic) -> None:
    """Nothing, no JSON, other JSON and no UTF-8 raise nothing."""
    metrics = MonitorMetrics()
    watch = Watch(Settings(publish_scores=True), metrics)
    watch.take(topic, [record(value) for value in (None, b"", b"{", b"[]", b'{"score":"\xff"}')], new=True)
    assert len(watch.performance) == 0
    unreadable = metrics.registry.get_sample_value("riskstream_monitor_unreadable_records_total", {"topic": topic})
    assert unreadable == 5


def test_scores_are_watched_where_they_are_published() -> None:
    """Without scores, alerts are calibrated."""
    assert "scores" not in watched_topics(Settings())
    assert "scores" in watched_topics(Settings(publish_scores=True))
