"""A worker as an operator runs it, and what it published."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from prometheus_client.parser import text_string_to_metric_families

from stream.settings import Settings
from stream.topics import create_topics, topics

TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True)
class Published:
    """A record on a topic; `timestamp_ms` is -1 where it has none."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes
    timestamp_ms: int = -1


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a process that shall have these settings."""
    own = {f"RISKSTREAM_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    return os.environ | own


def run_verb(settings: Settings, *arguments: str) -> str:
    """Run `riskstream ARGUMENTS` to its end, which must be good; return what it printed."""
    ran = subprocess.run(
        [sys.executable, "-m", "riskstream", *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def make_topics(settings: Settings) -> None:
    """Make all topics."""
    wanted = topics(settings.topic_prefix, settings.partitions, settings.replication_factor)
    asyncio.run(create_topics(settings.broker, wanted))


@dataclass
class Worker:
    """A worker process."""

    process: subprocess.Popen[bytes]
    settings: Settings
    log: Path

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels; 0 while nothing answers."""
        return sum(self._samples(name, labels))

    def metric_count(self, name: str) -> int:
        """Return how many samples a metric has; 0 while nothing answers."""
        return len(self._samples(name, {}))

    def ready(self) -> bool:
        """Tell whether the worker calls itself ready: it has its share of the partitions, which may be none."""
        try:
            with urllib.request.urlopen(f"{self._pages}/ready", timeout=2):
                return True
        except OSError:
            return False

    @property
    def _pages(self) -> str:
        return f"http://{self.settings.web_host}:{self.settings.web_port}"

    def metrics(self) -> str:
        """Return the page of metrics; nothing while nothing answers."""
        try:
            with urllib.request.urlopen(f"{self._pages}/metrics", timeout=2) as reply:
                return str(reply.read().decode())
        except OSError:
            return ""

    def _samples(self, name: str, labels: dict[str, str]) -> list[float]:
        return [
            sample.value
            for family in text_string_to_metric_families(self.metrics())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]

    def stop(self) -> None:
        """Stop it by SIGTERM, upon which it must end well."""
        self.process.terminate()
        assert self.process.wait(60) == 0, self.log.read_text()[-5000:]

    def pause(self) -> None:
        """Stop it in its tracks by SIGSTOP: it lives, and does nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on by SIGCONT, as if no time had passed."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill it by SIGKILL, if it still runs."""
        self.process.kill()
        self.process.wait()

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; fails with the worker's log if it ends or takes too long."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not holds():
            assert self.process.poll() is None, self.log.read_text()[-5000:]
            assert time.monotonic() < deadline, self.log.read_text()[-5000:]
            time.sleep(0.1)


def start_worker(settings: Settings, log: Path, program: tuple[str, ...] = ("-m", "riskstream", "run")) -> Worker:
    """Start a worker, as a Python program and its arguments; its log is appended to."""
    with log.open("ab") as output:
        process = subprocess.Popen([sys.executable, *program], env=environment(settings), stdout=output, stderr=output)
    return Worker(process, settings, log)


@contextmanager
def running_worker(settings: Settings, log: Path) -> Iterator[Worker]:
    """Run a worker while the block lasts; then stop it, which it must take well."""
    worker = start_worker(settings, log)
    try:
        yield worker
        worker.stop()
    finally:
        worker.kill()


def published(settings: Settings, name: str) -> list[Published]:
    """Return all that lies on a topic, partition by partition."""

    async def read() -> list[Published]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=settings.broker, auto_offset_reset="earliest", max_partition_fetch_bytes=24 << 20
        )
        await consumer.start()
        try:
            at = [KafkaPartition(settings.topic(name), number) for number in range(settings.partitions)]
            consumer.assign(at)
            ends = await consumer.end_offsets(at)
            for one in at:
                consumer.seek(one, 0)
            records = []
            while any([await consumer.position(one) < ends[one] for one in at]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    records += [
                        Published(one.partition, one.offset, one.key, one.value, one.timestamp) for one in batch
                    ]
            return sorted(records, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    return asyncio.run(read())
