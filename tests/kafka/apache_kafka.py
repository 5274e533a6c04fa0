"""A real Apache Kafka for tests and benchmarks: one KRaft node on loopback, from Maven Central's jars."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stream.broker_process import BrokerError, BrokerProcess, free_port

JARS = Path(__file__).parents[2] / ".cache" / "kafka"
"""Where `make kafka` puts the jars."""

_LARGEST_MESSAGE_BYTES = 32 * 1024 * 1024
_CLUSTER_ID = "cmlza3N0cmVhbS10ZXN0cw"


@dataclass(frozen=True)
class Detour:
    """A second way to the broker: it listens at `own_port` and tells those who come by it to use `told_port`."""

    own_port: int
    told_port: int


@contextmanager
def apache_kafka(directory: Path, detour: Detour | None = None) -> Iterator[BrokerProcess]:
    """Run a broker with an empty log under `directory` while the block lasts; nothing of it is left running.

    A `detour` lets a test put something between some clients and the broker. The block may `kill`, `stop` and
    `start` it again: port and data stay. Raises BrokerError when there is no Java or no jars, with the remedy, or when
    the broker does not start.
    """
    java = shutil.which("java")
    if java is None:
        raise BrokerError("no java on the PATH: install a Java runtime (17 or later), or run `make test`")
    if not any(JARS.glob("kafka_2.13-*.jar")):
        raise BrokerError(f"no Kafka jars in {JARS}: run `make kafka`")
    port = free_port()
    properties = directory / "server.properties"
    properties.write_text(_properties(port, free_port(), directory / "log", detour))
    run = [java, "-cp", f"{JARS}/*", "-Dlog4j2.level=WARN"]
    quick = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    formatted = subprocess.run(
        [*run, *quick, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(properties)],
        capture_output=True,
        text=True,
        check=False,
    )
    if formatted.returncode != 0:
        raise BrokerError(f"{directory} was not formatted:\n{formatted.stdout}{formatted.stderr}")
    broker = BrokerProcess([*run, "-Xmx512m", "kafka.Kafka", str(properties)], port, directory / "kafka.log")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def _properties(port: int, controller_port: int, log: Path, detour: Detour | None) -> str:
    listeners = f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}"
    told = f"PLAINTEXT://127.0.0.1:{port}"
    if detour is not None:
        listeners += f",DETOUR://127.0.0.1:{detour.own_port}"
        told += f",DETOUR://127.0.0.1:{detour.told_port}"
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": listeners,
        "advertised.listeners": told,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,DETOUR:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": log,
        "auto.create.topics.enable": "false",
        "message.max.bytes": _LARGEST_MESSAGE_BYTES,
        "replica.fetch.max.bytes": _LARGEST_MESSAGE_BYTES,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        # A broker that was killed may come back only when its session has expired.
        "broker.heartbeat.interval.ms": 500,
        "broker.session.timeout.ms": 3_000,
        # Tests wait for rebalances, dead members and abandoned transactions: let each be noticed soon.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1_000,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1_000,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())
