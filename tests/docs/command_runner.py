"""Runs the commands of one page as a reader would, in a folder of their own, and ends what they leave running."""

import asyncio
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from prometheus_client.parser import text_string_to_metric_families

from stream.broker_process import answers, free_port
from tests.docs.documented_commands import Command

TIMEOUT_SECONDS = 300.0

PORTS = {6066: "RISKSTREAM_WEB_PORT", 6067: "RISKSTREAM_MONITOR_PORT", 8080: "RISKSTREAM_PAGE_PORT"}
"""The ports that the documentation names, each replaced by a free one, and what says so."""

_PAUSE_SECONDS = 0.1
_SERVER = re.compile(r"^(?:\w+=\S+ )*riskstream (?P<verb>run|broker|page|monitor|market refit|forward \w+|simulate)\b")


@dataclass
class _Running:
    """A process that a command left running; `number` is the signal that ends it."""

    command: Command
    process: subprocess.Popen[bytes]
    output: Path
    number: signal.Signals

    def fail(self, what: str) -> AssertionError:
        return AssertionError(f"{self.command}: {what}:\n{self.output.read_text()[-3_000:]}")


@dataclass
class CommandRunner:
    """Runs commands in `folder`, against the broker at `bootstrap`, on topics whose names begin with `prefix`.

    What serves or follows is awaited until it is ready, and runs until the end, or until a second of its kind begins. A
    command that reads what workers publish is run when they have worked off what there is, as a reader is told to.
    """

    folder: Path
    bootstrap: str
    prefix: str
    took: list[str] = field(init=False, default_factory=list)
    variables: dict[str, str] = field(init=False)
    _ports: dict[int, int] = field(init=False)
    _running: dict[str, _Running] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._ports = {port: free_port() for port in PORTS}
        own = {
            "RISKSTREAM_BROKER": self.bootstrap,
            "RISKSTREAM_TOPIC_PREFIX": self.prefix,
            "RISKSTREAM_APPLICATION_ID": self.prefix + "workers",
            "RISKSTREAM_WORKERS": f"127.0.0.1:{self._ports[6066]}",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "120",
        }
        own |= {name: str(self._ports[port]) for port, name in PORTS.items()}
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RISKSTREAM_")}
        self.variables = clean | own

    def __enter__(self) -> "CommandRunner":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            while kind is None and self._running:
                # The last first: a broker outlives the workers.
                self._stop(next(reversed(self._running)))
        finally:
            for one in self._running.values():
                one.process.kill()
                one.process.wait()

    def run(self, command: Command) -> None:
        """Run a command; it must end well, or, where it serves or follows, get ready."""
        text = self._substituted(command.text.removesuffix("&").rstrip())
        server = _SERVER.match(text)
        began = time.monotonic()
        if text.startswith("export "):
            self._export(command, text)
        elif server and "--once" not in text:
            self._serve(command, text, server["verb"])
        elif "--follow" in text:
            self._serve(command, text, "follow")
        else:
            if "riskstream state rebuild" in text and "run" in self._running:
                self._stop("run")
            self._wait_for_workers()
            self._run_to_its_end(command, text)
        self.took.append(f"{time.monotonic() - began:6.1f} s  {command}")

    def _substituted(self, text: str) -> str:
        """Return a command with this run's broker, ports and alert in place of the reader's."""
        if text.startswith("riskstream broker"):
            port = free_port()
            self.variables["RISKSTREAM_BROKER"] = f"127.0.0.1:{port}"
            return f"{text} --port {port}"
        text = re.sub(r"\bkafka:9092\b", self.bootstrap, text)
        text = re.sub(
            r"\b(127\.0\.0\.1|localhost):(\d+)\b",
            lambda found: f"127.0.0.1:{self._ports.get(int(found[2]), int(found[2]))}",
            text,
        )
        return text.replace("ALERT_ID", self._an_alert()) if "ALERT_ID" in text else text

    def _export(self, command: Command, text: str) -> None:
        ran = self._shell(f"{text}; env -0")
        if ran.returncode != 0:
            raise AssertionError(f"{command}: status {ran.returncode}:\n{ran.stderr.decode()}")
        self.variables = dict(one.split("=", 1) for one in ran.stdout.decode().split("\0") if "=" in one)

    def _shell(self, text: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )

    def _run_to_its_end(self, command: Command, text: str) -> None:
        ran = self._shell(text)
        if ran.returncode != 0:
            told = (ran.stdout + ran.stderr).decode()
            raise AssertionError(f"{command}: status {ran.returncode}:\n{told[-3_000:]}")

    def _serve(self, command: Command, text: str, kind: str) -> None:
        if kind in self._running:
            self._stop(kind)
        output = self.folder / f"{kind.replace(' ', '-')}.log"
        with output.open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-c", text], cwd=self.folder, env=self.variables, stdout=log, stderr=log
            )
        reads = kind in ("follow", "market refit")
        one = self._running[kind] = _Running(command, process, output, signal.SIGINT if reads else signal.SIGTERM)
        self._wait(one, self._readiness(kind, output))
        if reads:
            self._stop(kind)

    def _readiness(self, kind: str, output: Path) -> Callable[[], bool]:
        if kind == "broker":
            port = int(self.variables["RISKSTREAM_BROKER"].rpartition(":")[2])
            return lambda: answers(port)
        if kind in ("run", "page", "monitor"):
            port = self._ports[{"run": 6066, "page": 8080, "monitor": 6067}[kind]]
            return lambda: _answers_well(f"http://127.0.0.1:{port}/ready")
        return lambda: output.stat().st_size > 0

    def _wait(self, one: _Running, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not holds():
            if one.process.poll() is not None:
                raise one.fail(f"ended with status {one.process.returncode} before it was ready")
            if time.monotonic() > deadline:
                raise one.fail(f"was not ready within {TIMEOUT_SECONDS:g} s")
            time.sleep(_PAUSE_SECONDS)

    def _wait_for_workers(self) -> None:
        """Wait until the workers, if any run, have read all that there is and published what came of it."""
        if "run" in self._running:
            quiet = 0

            def worked_off() -> bool:
                nonlocal quiet
                quiet = quiet + 1 if self._backlog() == 0 else 0
                return quiet > 5

            self._wait(self._running["run"], worked_off)

    def _backlog(self) -> float:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ports[6066]}/metrics", timeout=5) as reply:
                families = text_string_to_metric_families(reply.read().decode())
        except OSError:
            return math.inf
        counted = ("riskstream_consumer_lag_records", "riskstream_outbox_records")
        return sum(sample.value for family in families for sample in family.samples if sample.name in counted)

    def _an_alert(self) -> str:
        """Return the id of an alert, waiting for one as long as it takes a worker."""

        async def first() -> str:
            consumer = AIOKafkaConsumer(
                f"{self.prefix}alerts",
                bootstrap_servers=self.variables["RISKSTREAM_BROKER"],
                auto_offset_reset="earliest",
            )
            await consumer.start()
            try:
                while True:
                    alert = json.loads((await consumer.getone()).value)
                    if alert["entity_kind"] == "customer":
                        return str(alert["alert_id"])
            finally:
                await consumer.stop()

        return asyncio.run(asyncio.wait_for(first(), TIMEOUT_SECONDS))

    def _stop(self, kind: str) -> None:
        one = self._running[kind]
        one.process.send_signal(one.number)
        try:
            status = one.process.wait(60)
        except subprocess.TimeoutExpired:
            raise one.fail(f"did not end within a minute of {one.number.name}") from None
        if status != 0:
            raise one.fail(f"ended with status {status} on {one.number.name}")
        del self._running[kind]


def _answers_well(address: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(address, timeout=2):
        return True
    return False
