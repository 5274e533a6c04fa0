"""The monitor's process: it reads what workers publish and what groups commit, and tells Prometheus."""

import asyncio
from collections.abc import Mapping
from typing import NoReturn

import structlog
from aiohttp import web
from aiokafka import ConsumerRecord
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError

from stream.group_lag import group_lags
from stream.logs import configure_logs
from stream.monitor.monitor_metrics import MonitorMetrics
from stream.monitor.pages import monitor_pages
from stream.monitor.topic_follower import TopicFollower
from stream.monitor.watch import Watch, WatchedTopic, watched_topics
from stream.monitor.window_start import window_spans
from stream.settings import Settings
from stream.stop_signal import stop_on_signal
from stream.topics import create_topics, topics

log = structlog.get_logger(__name__)

LAG_INTERVAL_SECONDS = 5.0


class MonitorError(RuntimeError):
    """The monitor cannot serve its pages; the message names the setting and the remedy."""


def run_monitor(settings: Settings) -> int:
    """Run a monitor in this process until SIGTERM or SIGINT; return the exit status: 0, or 1 after a failure.

    Raises MonitorError, TopicError and aiokafka's KafkaError when it cannot start.
    """
    configure_logs(settings.log_level)
    return asyncio.run(_run(settings))


async def _run(settings: Settings) -> int:
    # A topic that nobody has made yet would be made by asking for it, with the broker's number of partitions.
    await create_topics(
        settings.broker, topics(settings.topic_prefix, settings.partitions, settings.replication_factor)
    )
    stop = stop_on_signal()
    metrics = MonitorMetrics()
    watch = Watch(settings, metrics)
    topic_of: dict[str, WatchedTopic] = {settings.topic(topic): topic for topic in watched_topics(settings)}

    def newest_ns(tails: Mapping[KafkaPartition, list[ConsumerRecord]]) -> int:
        probe = Watch(settings, MonitorMetrics())
        for at, records in tails.items():
            probe.take(topic_of[at.topic], records, new=False)
        return probe.performance.clock_ns

    partitions = [KafkaPartition(topic, number) for topic in topic_of for number in range(settings.partitions)]
    spans = await window_spans(settings.broker, partitions, settings.monitor_window_days, newest_ns)
    follower = TopicFollower(settings.broker, spans)

    def take(at: KafkaPartition, records: list[ConsumerRecord]) -> None:
        end = spans[at].end
        for new in (False, True):
            part = [record for record in records if (record.offset >= end) is new]
            if part:
                watch.take(topic_of[at.topic], part, new=new)

    def refresh() -> None:
        metrics.unread.set(follower.unread)
        if not follower.unread:
            watch.show()

    runner = web.AppRunner(monitor_pages(metrics.registry, refresh, lambda: follower.unread), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.monitor_host, settings.monitor_port).start()
    except OSError as error:
        raise MonitorError(
            f"RISKSTREAM_MONITOR_HOST={settings.monitor_host}, RISKSTREAM_MONITOR_PORT={settings.monitor_port}:"
            f" {error.strerror}; stop what listens there, or choose another port"
        ) from error
    log.info(
        "monitor_starting",
        metrics=f"http://{settings.monitor_host}:{settings.monitor_port}/metrics",
        unread_records=follower.unread,
    )
    working = [asyncio.create_task(follower.run(take)), asyncio.create_task(_show_lags(settings.broker, metrics))]
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([*working, stopping], return_when=asyncio.FIRST_COMPLETED)
    failures = [failure for task in working if task.done() and (failure := task.exception()) is not None]
    for failure in failures:
        log.error("monitor_failed", error=repr(failure), exc_info=failure)
    for task in (*working, stopping):
        task.cancel()
    await asyncio.gather(*working, stopping, return_exceptions=True)
    await runner.cleanup()
    log.info("monitor_stopped", ended_well=not failures)
    return 1 if failures else 0


async def _show_lags(bootstrap: str, metrics: MonitorMetrics) -> NoReturn:
    """Show the lag of every group, again and again; while the broker cannot be asked, the last answer stands."""
    while True:
        try:
            found = await group_lags(bootstrap)
            metrics.show_lags(one for lags in found.values() for one in lags)
        except (KafkaError, OSError) as error:
            log.warning("lag_unknown", error=type(error).__name__)
        await asyncio.sleep(LAG_INTERVAL_SECONDS)
