"""A whole service at work, watched by a real Prometheus: what dashboards and rules are tried on."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import yaml
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from live import Worker, make_topics, start_worker
from prometheus import Prometheus, prometheus

from history_messages import label_messages, position_messages, rate_messages, tick_messages, transaction_messages
from riskstream import DEMO_SYMBOLS
from schemas.position import Position
from stream.broker_process import BrokerProcess, free_port
from stream.outbox import Outbox
from stream.publisher import publish
from stream.settings import Settings
from training.history import History
from training.market.tick_simulator import MINUTE_NS, simulate_ticks
from training.rates.curve_simulator import simulate_rates
from training.simulator import simulate_transactions

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
SEED = 2029
WEEK_NS = 7 * 86_400_000_000_000
# The Unix epoch was a Thursday.
MONDAY_NS = 4 * 86_400_000_000_000
LIVE_SECONDS = 240.0

Message = tuple[str, bytes]


@contextmanager
def working_stream(broker: BrokerProcess, directory: Path) -> Iterator[Prometheus]:
    """Run a worker, a monitor and a Prometheus with the project's rules, all of them busy while the block lasts.

    Transactions with their labels, ticks, yields and positions come in all the time, some messages that cannot be used
    among them, and a group of readers is behind on the alerts. Prometheus reads and evaluates every second.
    """
    settings = Settings(
        broker=broker.bootstrap,
        application_id=f"watched-{uuid4().hex[:8]}",
        topic_prefix=f"watched-{uuid4().hex[:8]}.",
        partitions=2,
        bundle=ROOT / "bundles" / "demo",
        market_bundle=str(ROOT / "bundles" / "demo-market"),
        publish_scores=True,
        web_port=free_port(),
        monitor_port=free_port(),
    )
    make_topics(settings)
    asyncio.run(_fall_behind(settings))
    with (
        _running(settings, directory, "run") as worker,
        _running(settings, directory, "monitor"),
        prometheus(_configuration(settings, directory), directory) as watching,
    ):
        worker.wait_until(worker.ready)
        with _busy(settings):
            yield watching


@contextmanager
def _running(settings: Settings, directory: Path, verb: str) -> Iterator[Worker]:
    """Run a process of the command line while the block lasts."""
    process = start_worker(settings, directory / f"{verb}.log", ("-m", "riskstream", verb))
    try:
        yield process
    finally:
        process.kill()


@contextmanager
def _busy(settings: Settings) -> Iterator[None]:
    """Send the stream while the block lasts: its past at once, the rest as it would come."""
    done = threading.Event()
    sending = threading.Thread(target=lambda: asyncio.run(_send(settings, done)))
    sending.start()
    try:
        yield
    finally:
        done.set()
        sending.join()


async def _send(settings: Settings, done: threading.Event) -> None:
    history = simulate_transactions(customers=300, merchants=80, days=46, seed=SEED)
    live_from_ns = int(np.quantile(history.event_time_ns, 0.8))
    past = history.where(np.flatnonzero(history.event_time_ns < live_from_ns))
    live = history.where(np.flatnonzero(history.event_time_ns >= live_from_ns))
    monday_ns = (live_from_ns - MONDAY_NS) // WEEK_NS * WEEK_NS + MONDAY_NS
    ticks = list(
        tick_messages(simulate_ticks(DEMO_SYMBOLS, 20_000, SEED, start_ns=live_from_ns // MINUTE_NS * MINUTE_NS))
    )
    half = len(ticks) // 2
    rates = list(rate_messages(simulate_rates(["USD"], 60, SEED, start_ns=monday_ns)))
    positions = list(position_messages(_positions(live_from_ns)))
    outbox = Outbox(settings.broker, client_id="watched")
    await outbox.start()

    async def send(topic: str, messages: Iterable[Message], rate_per_second: float | None = None) -> None:
        going = takewhile(lambda _: not done.is_set(), messages)
        await publish(outbox, settings.topic(topic), settings.partitions, going, rate_per_second=rate_per_second)

    async def send_evenly(topic: str, messages: list[Message]) -> None:
        await send(topic, messages, max(1.0, len(messages) / LIVE_SECONDS))

    try:
        await send("labels", _labels(past))
        await send("transactions", transaction_messages(past, "EUR"))
        await send("ticks", ticks[:half])
        await asyncio.gather(
            send_evenly("transactions", list(transaction_messages(live, "EUR"))),
            send_evenly("labels", list(_labels(live))),
            send_evenly("ticks", ticks[half:]),
            send_evenly("rates", rates),
            send_evenly("positions", positions * int(LIVE_SECONDS)),
            *(send_evenly(topic, [("nobody", b"no JSON")] * int(LIVE_SECONDS)) for topic in ("transactions", "ticks")),
        )
    finally:
        await outbox.stop()


def _labels(history: History) -> Iterator[Message]:
    """Yield a label of each fraud, and of every fifth genuine transaction."""
    return label_messages(history, np.arange(len(history)) % 5 == 0)


def _positions(time_ns: int) -> list[Position]:
    return [
        Position(1, "carry", time_ns, 50_000.0, symbol="AUDUSD"),
        Position(1, "carry", time_ns, -40_000.0, symbol="USDJPY"),
    ]


async def _fall_behind(settings: Settings) -> None:
    """Let a group of readers of the alerts begin, and go no further."""
    places = [KafkaPartition(settings.topic("alerts"), number) for number in range(settings.partitions)]
    reader = AIOKafkaConsumer(bootstrap_servers=settings.broker, group_id=f"{settings.application_id}-desk")
    await reader.start()
    try:
        reader.assign(places)
        await reader.commit(dict.fromkeys(places, 0))
    finally:
        await reader.stop()


def _configuration(settings: Settings, directory: Path) -> Path:
    """Write the project's configuration with these processes for targets, and with all intervals a second."""
    configuration: dict[str, Any] = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    configuration["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    del configuration["alerting"]
    ports = {"riskstream-worker": settings.web_port, "riskstream-monitor": settings.monitor_port}
    for one in configuration["scrape_configs"]:
        one.pop("dns_sd_configs", None)
        one["static_configs"] = [{"targets": [f"127.0.0.1:{ports[one['job_name']]}"]}]
    configuration["rule_files"] = []
    for rules in sorted((PROMETHEUS / "rules").glob("*.yml")):
        groups: dict[str, Any] = yaml.safe_load(rules.read_text())
        for group in groups["groups"]:
            group.pop("interval", None)
        (directory / rules.name).write_text(yaml.safe_dump(groups))
        configuration["rule_files"].append(str(directory / rules.name))
    written = directory / "prometheus.yml"
    written.write_text(yaml.safe_dump(configuration))
    return written
