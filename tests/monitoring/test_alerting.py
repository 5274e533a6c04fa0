import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import yaml
from aiokafka import AIOKafkaProducer
from live import Worker, make_topics, start_worker
from prometheus import Alertmanager, Prometheus, alertmanager, prometheus

from history_messages import transaction_messages
from stream.broker_process import BrokerProcess, free_port
from stream.settings import Settings
from tests.small_bundle import small_bundle
from training.bundle_files import write_bundle
from training.simulator import simulate_transactions

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
HASTE = 30
"""How many times sooner than in operation an alert fires once its condition holds."""

PATIENCE_SECONDS = 8
"""How late it fires at least: Prometheus looks at its first target after 5 s, and until then there is no worker."""

GARBAGE = 40
WAIT_SECONDS = 60.0


def test_a_fault_reaches_the_operators_and_a_worker_that_is_well_does_not(kafka: BrokerProcess, tmp_path: Path) -> None:
    """Nothing fires on a worker that scores; garbage and a killed worker are told by webhook, each with its runbook."""
    small = small_bundle()
    name = f"alerting-{uuid4().hex[:8]}"
    settings = Settings(
        broker=kafka.bootstrap,
        application_id=name,
        topic_prefix=f"{name}.",
        bundle=write_bundle(tmp_path, small.manifest, model=small.model, golden=small.golden),
        web_port=free_port(),
        monitor_port=free_port(),
    )
    make_topics(settings)
    history = simulate_transactions(customers=40, merchants=10, days=3, seed=5)
    worker = start_worker(settings, tmp_path / "worker.log")
    monitor = start_worker(settings, tmp_path / "monitor.log", ("-m", "riskstream", "monitor"))
    try:
        worker.wait_until(worker.ready)
        with (
            webhook() as told,
            alertmanager(hasty_alertmanager(tmp_path, told.url), tmp_path) as manager,
            prometheus(hasty_prometheus(tmp_path, worker, manager), tmp_path) as server,
        ):
            wait_until(lambda: value(server, "up") == 2 and value(server, "riskstream_ready") == 1)
            send(settings, [(key.encode(), message) for key, message in transaction_messages(history, "EUR")])
            wait_until(lambda: value(server, 'riskstream_events_total{risk_job="merchants",event="scored"}') > 0)
            scored = time.time()
            # Every rule was judged since on what was read since, and none so much as waits to fire.
            wait_until(lambda: earliest_judgement(server) > scored + 3)
            assert server.alerts() == []
            assert server.query('max_over_time(ALERTS{alertstate="firing"}[10m])') == []

            send(settings, [(b"c1", b"garbage %d" % number) for number in range(GARBAGE)])
            letters = told.wait_for("firing", alertname="DeadLetters", risk_job="customers", reason="not_json")
            assert_helpful(letters)

            worker.kill()
            nobody = told.wait_for("firing", alertname="NoWorker", severity="critical")
            assert_helpful(nobody)
            wait_until(lambda: suppressed(manager, "WorkerDown"))

            worker = start_worker(settings, tmp_path / "worker.log")
            told.wait_for("resolved", alertname="NoWorker")
    finally:
        worker.kill()
        monitor.kill()


class Told:
    """What a webhook was told."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.alerts: list[dict[str, Any]] = []

    def wait_for(self, status: str, **labels: str) -> dict[str, Any]:
        """Wait for an alert of some status with these labels, and return it."""

        def found() -> list[dict[str, Any]]:
            return [
                alert
                for alert in self.alerts
                if alert["status"] == status and labels.items() <= alert["labels"].items()
            ]

        wait_until(lambda: bool(found()))
        return found()[0]


@contextmanager
def webhook() -> Iterator[Told]:
    """Give what Alertmanager tells a webhook of ours, while the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.alerts += json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Told(f"http://127.0.0.1:{listener.server_port}/")
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    try:
        yield told
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def hasty_prometheus(folder: Path, worker: Worker, manager: Alertmanager) -> Path:
    """Return the committed configuration and rules in haste, for one worker and a monitor on this machine.

    Metrics are read and rules judged every second, and each `for` is divided by HASTE; expressions are as they are.
    """
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [manager.url.removeprefix("http://")]}]}]
    workers, monitor = config["scrape_configs"]
    del workers["dns_sd_configs"]
    workers["static_configs"] = [{"targets": [f"127.0.0.1:{worker.settings.web_port}"]}]
    monitor["static_configs"] = [{"targets": [f"127.0.0.1:{worker.settings.monitor_port}"]}]
    (folder / "rules").mkdir()
    for path in (DEPLOY / "prometheus" / "rules").iterdir():
        rules = yaml.safe_load(path.read_text())
        for group in rules["groups"]:
            group.pop("interval", None)
            for rule in group["rules"]:
                if "for" in rule:
                    rule["for"] = f"{max(seconds(rule['for']) // HASTE, PATIENCE_SECONDS)}s"
        (folder / "rules" / path.name).write_text(yaml.safe_dump(rules))
    hasty = folder / "prometheus.yml"
    hasty.write_text(yaml.safe_dump(config))
    return hasty


def hasty_alertmanager(folder: Path, url: str) -> Path:
    """Return the committed configuration with its receiver at `url`, which is told every second what is new."""
    config = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
    for route in (config["route"], *config["route"]["routes"]):
        route |= {"group_wait": "1s", "group_interval": "1s"}
    (receiver,) = config["receivers"]
    (target,) = receiver["webhook_configs"]
    target["url"] = url
    hasty = folder / "alertmanager.yml"
    hasty.write_text(yaml.safe_dump(config))
    return hasty


def seconds(duration: str) -> int:
    """Return a duration such as 5m in seconds."""
    number, unit = re.fullmatch(r"(\d+)([smh])", duration).groups()  # type: ignore[union-attr] # else the test fails
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def send(settings: Settings, messages: list[tuple[bytes, bytes]]) -> None:
    """Send messages to the topic of transactions, by key."""

    async def produce() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            for key, message in messages:
                await producer.send(settings.topic("transactions"), message, key)
            await producer.flush()

    asyncio.run(produce())


def value(server: Prometheus, expression: str) -> float:
    """Return the sum of an expression's samples; 0 where it has none."""
    return sum(sample.value for sample in server.query(expression))


def earliest_judgement(server: Prometheus) -> float:
    """Return the Unix time at which the group of rules was judged that has waited longest."""
    groups = server.get("/api/v1/rules")["data"]["groups"]
    return min(datetime.fromisoformat(group["lastEvaluation"]).timestamp() for group in groups)


def suppressed(manager: Alertmanager, alertname: str) -> bool:
    """Tell whether an alert is held back because another tells enough."""
    return any(
        alert["labels"]["alertname"] == alertname and alert["status"]["inhibitedBy"] for alert in manager.alerts()
    )


def assert_helpful(alert: dict[str, Any]) -> None:
    """Assert that an alert says what it is, whose it is, and which page helps, which is there."""
    assert alert["labels"]["service"] == "riskstream"
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["description"]
    page = alert["annotations"]["runbook_url"].removesuffix("/")
    assert (ROOT / "docs" / f"{page}.md").is_file()


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; fails when it takes too long."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)
