"""Alerts on a topic, forwarders as processes, and a web server that receives, for tests of `riskstream forward`."""

import asyncio
import json
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from live import Worker, environment, make_topics

from schemas.alert import Alert
from schemas.encoding import encode
from schemas.reason import Reason
from schemas.source import Source
from stream.broker_process import BrokerProcess
from stream.settings import Settings

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""The secret of the published example of Standard Webhooks: no secret."""

DAY_NS = 86_400_000_000_000
FIRST_DAY_NS = 1_767_225_600_000_000_000  # 2026-01-01


def some_alerts(count: int, *, first: int = 0, customers: int = 10, days: int = 3) -> list[Alert]:
    """Return alerts with ids a0, a1, ..., of customers in turn, over days in turn."""
    return [
        Alert(
            schema_version=1,
            alert_id=f"a{number}",
            event_id=f"t{number}",
            entity_kind="customer",
            entity_id=f"c{number % customers}",
            event_time_ns=FIRST_DAY_NS + number % days * DAY_NS + number,
            source=Source("transactions", 0, number),
            score=0.9,
            threshold=0.5,
            outcome="decline",
            severity="high",
            reasons=(Reason("AMOUNT_UNUSUAL", "amount", 900.0, 40.0, 0.4),),
            bundle_name="demo",
            bundle_version="0123456789ab",
            usual_score=0.1,
            contributions={"amount": 0.8},
            features={"amount": 900.0},
        )
        for number in range(first, first + count)
    ]


def own_settings(broker: BrokerProcess, name: str) -> Settings:
    """Return settings with topics and groups of this test's own, two partitions; the topics are made."""
    prefix = f"{name}-{uuid4().hex[:8]}"
    settings = Settings(
        broker=broker.bootstrap,
        topic_prefix=f"{prefix}.",
        application_id=prefix,
        partitions=2,
        session_timeout_seconds=3.0,
    )
    make_topics(settings)
    return settings


def put(settings: Settings, values: Sequence[Alert | bytes]) -> None:
    """Append alerts to their topic under the customer, who has one partition; bytes go to partition 0."""

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker, linger_ms=5) as producer:
            topic = settings.topic("alerts")
            sent = [
                await producer.send(topic, value, partition=0)
                if isinstance(value, bytes)
                else await producer.send(
                    topic, encode(value), key=value.entity_id.encode(), partition=int(value.entity_id[1:]) % 2
                )
                for value in values
            ]
            await asyncio.gather(*sent)

    asyncio.run(send())


def start_forwarder(settings: Settings, log: Path, *arguments: str) -> Worker:
    """Start `riskstream forward ARGUMENTS`, with the secret; its output is appended to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "riskstream", "forward", *arguments],
            env=environment(settings) | {"RISKSTREAM_WEBHOOK_SECRET": SECRET},
            stdout=output,
            stderr=output,
        )
    return Worker(process, settings, log)


@dataclass(frozen=True)
class Request:
    """What a receiver was sent, and what it answered."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def identity(self) -> str:
        """The identity of the alert in it."""
        return str(json.loads(self.body)["id"])

    @property
    def entity(self) -> str:
        """Who the alert in it is about."""
        return str(json.loads(self.body)["data"]["entity_id"])


@dataclass
class Receiver:
    """A web server that answers each request with what `answer` says of its id: a status, and headers."""

    answer: Callable[[str], tuple[int, dict[str, str]]]
    requests: list[Request] = field(default_factory=list)
    url: str = ""

    def delivered(self) -> list[Request]:
        """Return those that were answered with success, in the order in which they came."""
        return [one for one in list(self.requests) if one.status < 300]


@contextmanager
def receiving(
    answer: Callable[[str], tuple[int, dict[str, str]]] = lambda identity: (204, {}),
    port: int = 0,
    certificate: ssl.SSLContext | None = None,
) -> Iterator[Receiver]:
    """Run a receiver on loopback while the block lasts; over TLS with a certificate."""
    receiver = Receiver(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers = receiver.answer(self.headers["webhook-id"])
            named = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append(Request(self.path, named, body, status))
            self.send_response(status)
            for name, value in (headers | {"Content-Length": "0"}).items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        if certificate is not None:
            server.socket = certificate.wrap_socket(server.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        receiver.url = f"{scheme}://127.0.0.1:{server.server_address[1]}/hook?token=hidden"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
