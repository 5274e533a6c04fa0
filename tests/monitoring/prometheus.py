"""A real Prometheus and a real Alertmanager for tests, on loopback, with what they store in the test's own folder."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream.broker_process import free_port

START_SECONDS = 60.0


class MonitoringError(RuntimeError):
    """A program of the monitoring is missing, with the remedy, or did not start, with the end of its log."""


@dataclass(frozen=True)
class Sample:
    """One series' value now: its labels, without a name, and the value."""

    labels: dict[str, str]
    value: float


@dataclass(frozen=True)
class Server:
    """A server of the monitoring, ready at `url`, such as `http://127.0.0.1:9090`."""

    url: str
    log: Path

    def get(self, path: str, **parameters: str) -> Any:
        """Return the JSON that a path of its interface answers; fails with the answer where that is an error."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        try:
            with urllib.request.urlopen(f"{self.url}{path}{query}", timeout=10) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}{query}: {error.read().decode()}") from error


class Prometheus(Server):
    """A Prometheus that runs."""

    def query(self, expression: str) -> list[Sample]:
        """Return what an expression of PromQL gives now: a sample for each of its series."""
        result = self.get("/api/v1/query", query=expression)["data"]
        if result["resultType"] == "scalar":
            return [Sample({}, float(result["result"][1]))]
        return [
            Sample({name: value for name, value in one["metric"].items() if name != "__name__"}, float(one["value"][1]))
            for one in result["result"]
        ]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or firing, each with its labels, annotations and state."""
        alerts: list[dict[str, Any]] = self.get("/api/v1/alerts")["data"]["alerts"]
        return alerts


class Alertmanager(Server):
    """An Alertmanager that runs."""

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it holds, each with its labels, annotations and status."""
        alerts: list[dict[str, Any]] = self.get("/api/v2/alerts")
        return alerts


@contextmanager
def prometheus(config: Path, directory: Path) -> Iterator[Prometheus]:
    """Run a Prometheus with a configuration while the block lasts; nothing of it is left running.

    What it stores and logs is under `directory`. Raises MonitoringError when it is not installed or does not start.
    """
    port = free_port()
    command = [
        program("prometheus"),
        f"--config.file={config}",
        f"--storage.tsdb.path={directory / 'prometheus'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    server = Prometheus(f"http://127.0.0.1:{port}", directory / "prometheus.log")
    with _running(command, server):
        yield server


@contextmanager
def alertmanager(config: Path, directory: Path) -> Iterator[Alertmanager]:
    """Run an Alertmanager with a configuration while the block lasts; nothing of it is left running.

    What it stores and logs is under `directory`. Raises MonitoringError when it is not installed or does not start.
    """
    port = free_port()
    command = [
        program("alertmanager"),
        f"--config.file={config}",
        f"--storage.path={directory / 'alertmanager'}",
        f"--web.listen-address=127.0.0.1:{port}",
        # It needs no peers, and without an address it looks for none.
        "--cluster.listen-address=",
    ]
    server = Alertmanager(f"http://127.0.0.1:{port}", directory / "alertmanager.log")
    with _running(command, server):
        yield server


def program(name: str) -> str:
    """Return the path of prometheus, promtool, alertmanager or amtool; raises MonitoringError where it is missing."""
    # Debian calls Alertmanager by a longer name.
    found = shutil.which(name) or shutil.which(f"prometheus-{name}")
    if found is None:
        raise MonitoringError(f"no {name} on the PATH: run `make prometheus`")
    return found


@contextmanager
def _running(command: Sequence[str], server: Server) -> Iterator[None]:
    with server.log.open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait_until_ready(process, server)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], server: Server) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"{server.url}/-/ready", timeout=2):
                return
        except OSError:
            pass
        if process.poll() is not None or time.monotonic() > deadline:
            end = server.log.read_text(errors="replace")[-2_000:]
            raise MonitoringError(f"{process.args!r} did not become ready; its log {server.log} ends with:\n{end}")
        time.sleep(0.05)
