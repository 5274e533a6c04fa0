"""The live page beside a real worker on a real Kafka."""

import asyncio
import concurrent.futures
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from live import Worker, environment, make_topics, running_worker
from playwright.sync_api import expect

from apache_kafka import apache_kafka
from history_messages import label_messages, tick_messages, transaction_messages
from schemas.encoding import encode
from stream.broker_process import BrokerProcess, free_port
from stream.outbox import Outbox
from stream.publisher import publish
from stream.settings import Settings
from tests.browser.chromium import SCREENSHOTS, chromium
from tests.page_messages import alert
from training.market.tick_simulator import simulate_ticks
from training.simulator import simulate_transactions

ROOT = Path(__file__).parents[2]
HISTORY = simulate_transactions(customers=60, merchants=20, days=40, seed=11)
MARKET_BUNDLE = ROOT / "bundles" / "demo-market"


@dataclass(frozen=True, slots=True)
class Stand:
    """A broker of the module's own, a worker, and a page beside it."""

    broker: BrokerProcess
    settings: Settings
    worker: Worker
    page: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.settings.page_port}"

    def get(self, path: str) -> Any:
        """Return what the page answers."""
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return json.load(reply)

    def memory_bytes(self) -> int:
        """Return how much of the machine's memory the page holds."""
        status = Path(f"/proc/{self.page.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return 1024 * int(found[1])


@contextmanager
def running_page(settings: Settings, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a page while the block lasts; then stop it, which it must take well."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "riskstream", "page"], env=environment(settings), stdout=output, stderr=output
        )
    try:
        yield process
        process.terminate()
        assert process.wait(30) == 0, log.read_text()[-5000:]
    finally:
        process.kill()
        process.wait()


def until(holds: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait until something holds; what cannot be read yet does not."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except OSError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def send(settings: Settings, name: str, messages: list[tuple[str, bytes]]) -> None:
    """Publish messages; in a thread of its own, since a browser's test has a loop in this one."""

    async def run() -> None:
        outbox = Outbox(settings.broker, client_id="sender")
        await outbox.start()
        try:
            await publish(outbox, settings.topic(name), settings.partitions, messages)
        finally:
            await outbox.stop()

    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(asyncio.run, run()).result(60)


def send_alerts(settings: Settings, values: list[bytes]) -> None:
    """Publish what is, or is not, an alert, to one partition, which keeps the order."""

    async def run() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            for value in values:
                await producer.send(settings.topic("alerts"), value, partition=0)

    asyncio.run(run())


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Give a stand whose worker has scored a history, with a market beside it."""
    folder = tmp_path_factory.mktemp("page")
    web_port = free_port()
    with apache_kafka(folder) as broker:
        settings = Settings(
            broker=broker.bootstrap,
            application_id=f"page-{uuid4().hex[:8]}",
            bundle=ROOT / "bundles" / "demo",
            market_bundle=str(MARKET_BUNDLE),
            partitions=2,
            web_port=web_port,
            workers=f"127.0.0.1:{web_port},127.0.0.1:{free_port()}",
            page_port=free_port(),
        )
        # The page comes first, as it may: it waits for the topics.
        with running_page(settings, folder / "page.log") as page:
            until(lambda: urllib.request.urlopen(f"http://127.0.0.1:{settings.page_port}/live").status == 200)
            make_topics(settings)
            send(settings, "labels", list(label_messages(HISTORY)))
            send(settings, "transactions", list(transaction_messages(HISTORY, "EUR"))[:-200])
            ticks = simulate_ticks(("EURUSD", "USDJPY"), 4_000, 3, start_ns=int(HISTORY.event_time_ns[-1]))
            send(settings, "ticks", list(tick_messages(ticks)))
            with running_worker(settings, folder / "worker.log") as worker:
                stand = Stand(broker, settings, worker, page)
                first = len(HISTORY.transaction_id) - 200
                worker.wait_until(lambda: worker.metric("riskstream_events_total", event="scored") >= first)
                until(lambda: len(stand.get("/api/symbols")["symbols"]) == 2)
                until(lambda: len(stand.get("/api/alerts?entity_kind=customer")["alerts"]) > 0)
                yield stand


def test_the_page_shows_what_the_worker_raised(stand: Stand) -> None:
    """An alert is explained by the worker's bundle, and the customer's transactions before it are read from Kafka."""
    found = stand.get("/api/alerts?entity_kind=customer&limit=1")["alerts"][0]
    detail = stand.get(f"/api/alerts/{found['alert_id']}")
    assert detail["sum"]["holds"] is True
    assert all(one["usual_value"] is not None for one in detail["features"])
    assert "have been an alert" in detail["note"]
    customer = found["entity_id"]
    past = stand.get(f"/api/entities/customer/{customer}/history?alert={found['alert_id']}")["transactions"]
    assert past[-1]["transaction_id"] == found["event_id"]
    assert [one["alerted"] for one in past] == [False] * (len(past) - 1) + [True]
    order = {name: at for at, name in enumerate(HISTORY.transaction_id)}
    own = [name for name, of in zip(HISTORY.transaction_id, HISTORY.customer_id, strict=True) if of == customer]
    until_then = [name for name in own if order[name] <= order[found["event_id"]]]
    assert [one["transaction_id"] for one in past] == until_then[-60:]


def test_health_is_that_of_the_workers(stand: Stand) -> None:
    """The worker that runs answers, the one that does not is shown as such, and the lag is that of the group."""
    running = f"127.0.0.1:{stand.settings.web_port}"

    def problems() -> dict[str, str]:
        return {one["address"]: one["problem"] for one in stand.get("/api/health")["workers"]}

    until(lambda: problems().get(running) == "")
    assert [problem for address, problem in problems().items() if address != running] == ["does not answer"]
    until(lambda: {one["topic"]: one["lag_records"] for one in stand.get("/api/health")["lag"]}.get("ticks") == 0)


def test_slow_readers_cost_nobody_else_anything(stand: Stand) -> None:
    """A hundred readers that never read leave memory bounded and a fast one with every alert; each is told its loss."""
    host, port = "127.0.0.1", stand.settings.page_port
    request = f"GET /events HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
    slow = []
    for _ in range(100):
        reader = socket.socket()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        reader.connect((host, port))
        reader.sendall(request)
        slow.append(reader)
    fast = urllib.request.urlopen(f"{stand.url}/events", timeout=60)
    until(lambda: stand.get("/api/health")["page"]["readers"] == 101)
    before = stand.memory_bytes()
    scored = stand.worker.metric("riskstream_events_total", event="scored")
    text = "a reason that is told at some length " * 100
    one = alert(0)
    wordy = msgspec.structs.replace(one, reasons=tuple(msgspec.structs.replace(why, text=text) for why in one.reasons))
    sent = [msgspec.structs.replace(wordy, alert_id=f"slow-{at}") for at in range(3_000)]

    with concurrent.futures.ThreadPoolExecutor() as pool:
        reading = pool.submit(events_until, fast, "slow-2999")
        send_alerts(stand.settings, [b"not JSON", *(encode(each) for each in sent)])
        send(stand.settings, "transactions", list(transaction_messages(HISTORY, "EUR"))[-200:-100])
        told = reading.result(120)
    assert [name for name in told if name.startswith("slow-")] == [each.alert_id for each in sent]
    stand.worker.wait_until(lambda: stand.worker.metric("riskstream_events_total", event="scored") == scored + 100)
    page = stand.get("/api/health")["page"]
    assert page["messages_skipped"] == {"alerts": 1}
    assert page["dropped_events"] > 100 * 1_000
    # All that came, for every reader, would be 2 GB.
    assert stand.memory_bytes() - before < 120 << 20
    answer = drained(slow[0])
    dropped = sum(int(count) for count in re.findall(rb'event: dropped\ndata: {"events":(\d+)}', answer))
    got = len(re.findall(rb"event: alert\n", answer))
    assert dropped > 1_000
    assert dropped + got >= 3_000
    for reader in slow:
        reader.close()
    fast.close()
    until(lambda: stand.get("/api/health")["page"]["readers"] == 0)


def events_until(stream: Any, alert_id: str) -> list[str]:
    """Return the identities of the alerts that a stream of events tells of, up to one."""
    found: list[str] = []
    for line in stream:
        if line.startswith(b"data: ") and b'"alert_id"' in line:
            found.append(json.loads(line[6:])["alert_id"])
            if found[-1] == alert_id:
                break
    return found


def drained(reader: socket.socket) -> bytes:
    """Return what a reader gets up to the last alert, without the marks of chunked encoding."""
    answer = b""
    reader.settimeout(30)
    while b"slow-2999" not in answer:
        answer += reader.recv(1 << 20)
    return re.sub(rb"\r\n[0-9a-f]+\r\n", b"", answer)


def test_a_browser_sees_an_alert_as_it_is_raised(stand: Stand) -> None:
    """What the worker raises of a transaction sent now appears by itself, and opens with all that was before it."""
    bursts = [(key, value) for key, value in transaction_messages(HISTORY, "EUR")][-100:]
    forged = [
        (key, json.dumps(json.loads(value) | {"amount": 4_000.0 + at, "transaction_id": f"now-{at}"}).encode())
        for at, (key, value) in enumerate(bursts[:5])
    ]
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-GB")
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(f"{stand.url}/#/alerts?text=now-")
        expect(page.locator("#connection")).to_have_text("live")
        expect(page.locator(".empty")).to_contain_text("No alert is like that")
        send(stand.settings, "transactions", forged)
        expect(page.locator(".alerts li").first).to_be_visible(timeout=30_000)
        page.locator(".alerts li").first.click()
        expect(page.locator(".detail .sum")).to_contain_text("It adds up", timeout=30_000)
        expect(page.locator(".detail .note")).to_contain_text("have been an alert")
        expect(page.locator(".payments tr.alerted")).to_contain_text("4,00", timeout=30_000)
        page.screenshot(path=SCREENSHOTS / "alert-on-kafka.png")
        page.goto(f"{stand.url}/#/markets")
        expect(page.locator(".symbol-head h2")).to_have_text("EURUSD")
        page.goto(f"{stand.url}/#/health")
        expect(page.locator(".health-view")).to_contain_text("1 of 2 answer")
        assert faults == []


def test_a_broker_that_comes_back_is_read_on(stand: Stand) -> None:
    """While the broker is away the page says so and keeps what it has; then it goes on, without gap or repeat."""
    kept = stand.get("/api/alerts")["kept"]
    stand.broker.stop()
    until(lambda: stand.get("/api/health")["waits_for"] == "the broker")
    assert stand.get("/api/alerts")["kept"] == kept
    stand.broker.start()
    send_alerts(stand.settings, [encode(msgspec.structs.replace(alert(1), alert_id=f"after-{at}")) for at in range(3)])
    until(lambda: len(stand.get("/api/alerts?text=after-")["alerts"]) == 3)
    found = [row["alert_id"] for row in stand.get("/api/alerts?limit=500")["alerts"]]
    assert found[:3] == ["after-2", "after-1", "after-0"]
    assert len(set(found)) == len(found)
    until(lambda: stand.get("/api/health")["waits_for"] == "")


def test_a_page_that_cannot_be_says_why() -> None:
    """It ends with status 2 and a line that names the variable and the remedy, and never the token."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        tried = {
            "RISKSTREAM_PAGE_HOST='0.0.0.0': others could read": {"RISKSTREAM_PAGE_HOST": "0.0.0.0"},
            "RISKSTREAM_PAGE_TOKEN: has 7 characters": {"RISKSTREAM_PAGE_TOKEN": "letters"},
            "choose another address or port": {"RISKSTREAM_PAGE_PORT": str(taken.getsockname()[1])},
        }
        running = {
            named: subprocess.Popen(
                [sys.executable, "-m", "riskstream", "page"],
                env=environment(Settings()) | variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for named, variables in tried.items()
        }
        for named, process in running.items():
            out, told = process.communicate(timeout=120)
            assert process.returncode == 2, out + told
            assert named in told
            assert "Traceback" not in told
            assert "letters" not in told
