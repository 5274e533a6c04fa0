import re
from pathlib import Path
from typing import Any

from live import make_topics

from apache_kafka import JARS
from stream.broker_process import BrokerProcess, free_port
from stream.settings import Settings

ROOT = Path(__file__).parents[2]


def test_kafka_starts_as_the_file_starts_it(services: dict[str, Any], tmp_path: Path) -> None:
    """The command and the properties of the service make a broker that takes all topics, twice on the same data."""
    inside, host, controller = free_port(), free_port(), free_port()
    properties = (ROOT / "deploy" / "kafka" / "server.properties").read_text()
    # Ports of this run's own, and this machine's name in place of the container's.
    for port, own in (("9092", inside), ("29092", host), ("9093", controller)):
        properties = re.sub(rf"(?<=:){port}\b", str(own), properties)
    properties = properties.replace("INSIDE://kafka:", "INSIDE://127.0.0.1:")
    own_file = tmp_path / "server.properties"
    own_file.write_text(properties.replace("/var/lib/kafka/data", str(tmp_path / "data")))
    service = services["kafka"]
    command = service["command"][0].replace("/opt/kafka/libs", str(JARS))
    command = command.replace("/etc/riskstream/server.properties", str(own_file))
    broker = BrokerProcess([*service["entrypoint"], command], inside, tmp_path / "kafka.log")
    for _ in range(2):
        broker.start()
        try:
            make_topics(Settings(broker=f"127.0.0.1:{host}", partitions=8))
        finally:
            broker.stop()
    assert "ERROR" not in (tmp_path / "kafka.log").read_text()


def test_the_java_of_the_service_fits_its_memory(services: dict[str, Any]) -> None:
    """Kafka's heap leaves half of its container's memory to what is beside the heap."""
    heap_mb = int(re.search(r"-Xmx(\d+)m", services["kafka"]["command"][0]).group(1))  # type: ignore[union-attr]
    assert heap_mb * 2**20 <= int(services["kafka"]["mem_limit"]) / 2
