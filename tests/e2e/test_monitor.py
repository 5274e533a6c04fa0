"""The monitor and the verb `lag` beside a real broker."""

import asyncio
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from live import Worker, environment, make_topics, run_verb, start_worker

from schemas.alert import Alert
from schemas.encoding import encode
from schemas.label import Label
from schemas.outcome import Outcome
from schemas.reason import Reason
from schemas.score import Score
from schemas.source import Source
from stream.broker_process import BrokerProcess, free_port
from stream.embedded_broker import embedded_broker
from stream.monitor.window_start import Span, window_spans
from stream.settings import Settings

NOW_NS = time.time_ns()
HOUR_NS = 3_600_000_000_000
SOURCE = Source("transactions", 0, 0)


def settings_for(broker: BrokerProcess, *, publish_scores: bool = False) -> Settings:
    """Return settings with topics of this test's own, which are made; the pages are those of the monitor."""
    port = free_port()
    settings = Settings(
        broker=broker.bootstrap,
        topic_prefix=f"monitor-{uuid4().hex[:8]}.",
        partitions=2,
        web_port=port,
        monitor_port=port,
        monitor_window_days=3.0,
        publish_scores=publish_scores,
    )
    make_topics(settings)
    return settings


def alert(number: int, outcome: Outcome = "review", hours_ago: int = 5) -> bytes:
    """Return an alert on a customer."""
    reasons = (Reason("AMOUNT_UNUSUAL", "amount", 900.0, 40.0, 0.4),)
    time_ns = NOW_NS - hours_ago * HOUR_NS
    return encode(
        Alert(
            *(1, f"a{number}", f"t{number}", "customer", f"secret{number}", time_ns, SOURCE, 0.95, 0.5, outcome),
            *("high", reasons, "demo", "0123456789ab"),
        )
    )


def label(number: int, *, fraud: bool, hours_ago: int = 5) -> bytes:
    """Return a label, an hour after its transaction."""
    time_ns = NOW_NS - hours_ago * HOUR_NS
    return encode(Label(1, f"t{number}", f"secret{number}", "m", time_ns, time_ns + HOUR_NS, fraud))


def score(number: int, value: float) -> bytes:
    """Return the score of a transaction."""
    time_ns = NOW_NS - 5 * HOUR_NS
    return encode(
        Score(
            *(1, f"t{number}", f"secret{number}", "m", time_ns, SOURCE, value, "approve", (1.0,), "demo"),
            "0123456789ab",
        )
    )


def put(settings: Settings, topic: str, values: list[bytes]) -> None:
    """Publish records, on both partitions in turn."""

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            for at, value in enumerate(values):
                await producer.send_and_wait(settings.topic(topic), value, partition=at % 2)

    asyncio.run(send())


@contextmanager
def running_monitor(settings: Settings, log: Path) -> Iterator[Worker]:
    """Run a monitor while the block lasts, from when it has read what there is; then stop it, which it must take."""
    monitor = start_worker(settings, log, ("-m", "riskstream", "monitor"))
    try:
        monitor.wait_until(monitor.ready)
        yield monitor
        monitor.stop()
    finally:
        monitor.kill()


def refused(settings: Settings, *arguments: str) -> str:
    """Run `riskstream ARGUMENTS`, which must end with status 2; return what it printed on standard error."""
    ran = subprocess.run(
        [sys.executable, "-m", "riskstream", *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2, ran.stdout + ran.stderr
    return ran.stderr


def told(monitor: Worker) -> dict[str, float]:
    """Return what the monitor tells of the window."""
    return {
        "right": monitor.metric("riskstream_labelled_alerts", fraud="true"),
        "wrong": monitor.metric("riskstream_labelled_alerts", fraud="false"),
        "found": monitor.metric("riskstream_labelled_frauds", alerted="true"),
        "missed": monitor.metric("riskstream_labelled_frauds", alerted="false"),
        "precision": monitor.metric("riskstream_live_precision"),
        "recall": monitor.metric("riskstream_live_recall"),
        "calibrated": monitor.metric("riskstream_calibration_transactions"),
    }


def test_alerts_are_held_against_labels_and_a_restart_changes_nothing(kafka: BrokerProcess, tmp_path: Path) -> None:
    """Counters count what comes; gauges over the window are the same again, and old transactions are out of them."""
    settings = settings_for(kafka)
    # 100 hours ago lies before a window of three days.
    put(settings, "alerts", [alert(0), alert(1, "decline"), alert(2, hours_ago=100)])
    put(settings, "labels", [label(2, fraud=True, hours_ago=100), label(1, fraud=False), b"none", label(9, fraud=True)])
    with running_monitor(settings, tmp_path / "log") as monitor:
        assert monitor.metric("riskstream_alerts_total") == 0
        assert monitor.metric_count("riskstream_alerts_total") == 32
        assert monitor.metric("riskstream_live_precision") == 0.0
        put(settings, "alerts", [alert(3), b"{}", alert(3), b"[", alert(4)])
        put(settings, "labels", [label(0, fraud=True), b"", label(3, fraud=True)])
        monitor.wait_until(lambda: monitor.metric("riskstream_labelled_frauds", alerted="true") == 2)
        monitor.wait_until(lambda: monitor.metric("riskstream_alerts_total", outcome="review") == 3)
        first = told(monitor)
        assert first == {
            "right": 2,
            "wrong": 1,
            "found": 2,
            "missed": 1,
            "precision": pytest.approx(2 / 3),
            "recall": pytest.approx(2 / 3),
            "calibrated": 3,
        }
        assert monitor.metric("riskstream_alert_reasons_total", entity_kind="customer", code="AMOUNT_UNUSUAL") == 3
        assert monitor.metric("riskstream_monitor_unreadable_records_total", topic=settings.topic("alerts")) == 2
        assert monitor.metric("riskstream_monitor_unreadable_records_total", topic=settings.topic("labels")) == 1
        assert monitor.metric("riskstream_calibration_source", source="alerts") == 1
    with running_monitor(settings, tmp_path / "log") as monitor:
        assert told(monitor) == first
        assert monitor.metric("riskstream_alerts_total") == 0
        assert monitor.metric("riskstream_monitor_unreadable_records_total") == 0
    assert "secret" not in (tmp_path / "log").read_text()


def test_every_score_is_calibrated_where_scores_are_published(kafka: BrokerProcess, tmp_path: Path) -> None:
    """Labelled transactions count in the tenth of their score, alerted or not."""
    settings = settings_for(kafka, publish_scores=True)
    put(settings, "scores", [score(0, 0.02), score(1, 0.04), score(2, 0.97), score(3, 0.5)])
    put(settings, "labels", [label(0, fraud=False), label(1, fraud=True), label(2, fraud=True)])
    with running_monitor(settings, tmp_path / "log") as monitor:
        assert monitor.metric("riskstream_calibration_source", source="scores") == 1
        assert monitor.metric("riskstream_calibration_transactions", bin="0") == 2
        assert monitor.metric("riskstream_calibration_mean_score", bin="0") == pytest.approx(0.03)
        assert monitor.metric("riskstream_calibration_fraud_fraction", bin="0") == 0.5
        assert monitor.metric("riskstream_calibration_fraud_fraction", bin="9") == 1.0
        assert math.isnan(monitor.metric("riskstream_calibration_mean_score", bin="5"))
        assert math.isnan(monitor.metric("riskstream_live_precision"))
        assert f"RISKSTREAM_MONITOR_PORT={settings.monitor_port}" in refused(settings, "monitor")


def commit(settings: Settings, group: str, offsets: dict[KafkaPartition, int]) -> None:
    """Commit offsets for a group, as any consumer may."""

    async def run() -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            consumer.assign(list(offsets))
            await consumer.commit(offsets)
        finally:
            await consumer.stop()

    asyncio.run(run())


def delete(settings: Settings, topic: str) -> None:
    """Delete a topic, and with it what groups have committed there."""

    async def run() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
        await admin.start()
        try:
            await admin.delete_topics([topic])
        finally:
            await admin.close()

    asyncio.run(run())


def test_the_lag_of_any_group_is_shown(kafka: BrokerProcess, tmp_path: Path) -> None:
    """A plain consumer's group is behind by what it has not committed, whole partitions too; what goes is gone."""
    settings = settings_for(kafka)
    topic, group = settings.topic("curves"), f"reader-{uuid4().hex[:8]}"
    put(settings, "curves", [b"{}"] * 9)
    put(settings, "labels", [label(1, fraud=True)])
    commit(settings, group, {KafkaPartition(topic, 0): 2})
    lags = json.loads(run_verb(settings, "lag", group, "--json"))
    assert lags == [
        {"group": group, "topic": topic, "partition": 0, "committed": 2, "end": 5, "records": 3},
        {"group": group, "topic": topic, "partition": 1, "committed": -1, "end": 4, "records": 4},
    ]
    shown = run_verb(settings, "lag")
    assert group in shown
    assert [line.split("│")[-2].strip() for line in shown.splitlines() if topic in line] == ["3", "4", "7"]
    unknown = refused(settings, "lag", "nobody")
    assert unknown.count("\n") == 1
    assert "GROUP nobody" in unknown
    assert group in unknown
    with running_monitor(settings, tmp_path / "log") as monitor:
        monitor.wait_until(lambda: monitor.metric("riskstream_group_lag_records", group=group, topic=topic) == 7)
        commit(settings, group, {KafkaPartition(topic, 1): 4})
        monitor.wait_until(lambda: monitor.metric("riskstream_group_lag_records", group=group, topic=topic) == 3)
        delete(settings, topic)
        monitor.wait_until(lambda: bool(page := monitor.metrics()) and f'group="{group}"' not in page)


def test_a_broker_that_comes_back_is_read_on(tmp_path: Path) -> None:
    """Alerts that come after the broker's restart are counted, and each of those before it once."""
    with embedded_broker(tmp_path / "broker") as broker:
        settings = settings_for(broker)
        with running_monitor(settings, tmp_path / "log") as monitor:
            put(settings, "alerts", [alert(1)])
            monitor.wait_until(lambda: monitor.metric("riskstream_alerts_total") == 1)
            broker.restart()
            put(settings, "alerts", [alert(2)])
            monitor.wait_until(lambda: monitor.metric("riskstream_alerts_total") == 2)
            asked = monitor.metric("riskstream_group_lag_timestamp_seconds")
            monitor.wait_until(lambda: monitor.metric("riskstream_group_lag_timestamp_seconds") > asked)


def stamped(settings: Settings, hours_ago: list[int]) -> None:
    """Publish a label for each time, written when it was made, on partition 0."""

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            for number, hours in enumerate(hours_ago):
                value = label(number, fraud=True, hours_ago=hours)
                at_ms = (NOW_NS - (hours - 1) * HOUR_NS) // 1_000_000
                await producer.send_and_wait(settings.topic("labels"), value, partition=0, timestamp_ms=at_ms)

    asyncio.run(send())


def test_reading_begins_where_the_window_may(kafka: BrokerProcess) -> None:
    """Of days of records only those of the window and a day more are read; of a log of old events, all."""
    settings = settings_for(kafka)
    stamped(settings, [500, 400, 120, 97, 96, 50, 2])
    at = [KafkaPartition(settings.topic("labels"), number) for number in range(2)]
    for newest_ns, first in ((NOW_NS, 3), (NOW_NS - 10_000 * HOUR_NS, 0), (-1, 0)):

        def newest(tails: object, found: int = newest_ns) -> int:
            return found

        spans = asyncio.run(window_spans(settings.broker, at, 3.0, newest))
        assert spans == {at[0]: Span(first, 7), at[1]: Span(0, 0)}
