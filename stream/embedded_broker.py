"""The embedded broker: a small Kafka-compatible server for trying riskstream where there is no Kafka.

It is noida-db, one binary in a Python package, kept behind this one function. What it can and cannot do is
told in docs/adr/0004-embedded-broker.md. Apache Kafka is the reference in every test of correctness, and the
only broker for production.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from stream.broker_process import BrokerError, BrokerProcess, free_port


@contextmanager
def embedded_broker(directory: Path, port: int | None = None) -> Iterator[BrokerProcess]:
    """Run the embedded broker on 127.0.0.1 while the block lasts, its data and its log under `directory`.

    `port` None takes a free one. The directory may hold the data of an earlier run. Raises BrokerError when
    the `demo` extra is not installed, or when the broker does not start, as where the port is taken.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chosen = free_port() if port is None else port
    command = [
        str(_binary()),
        "start",
        "--only",
        "kafka",
        "--host",
        "127.0.0.1",
        "--kafka-port",
        str(chosen),
        "--data-dir",
        str(directory / "data"),
    ]
    broker = BrokerProcess(command, chosen, directory / "broker.log")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def _binary() -> Path:
    package = find_spec("noida_db")
    if package is None or package.origin is None:
        raise BrokerError("the embedded broker is not installed: pip install 'riskstream[demo]'")
    binary = Path(package.origin).parent / ("noida-db.exe" if os.name == "nt" else "noida-db")
    if not os.access(binary, os.X_OK):
        binary.chmod(0o755)
    return binary
