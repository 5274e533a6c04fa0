import json
import re
import subprocess
from pathlib import Path

from tests.deploy.conftest import ROOT, TOOLS

PAGE = (ROOT / "docs" / "deployment.md").read_text()


def snippet(name: str) -> str:
    """Return the file of a name that the page shows."""
    (found,) = re.findall(rf"^```yaml\n# {re.escape(name)}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_file_for_another_broker_fits_the_compose_file(tmp_path: Path) -> None:
    """With it nothing waits for the file's own Kafka, and every process has the broker and the bundle."""
    override = tmp_path / "docker-compose.override.yml"
    override.write_text(snippet(override.name))
    files = ("--file", ROOT / "docker-compose.yml", "--file", override)
    read = subprocess.run([TOOLS / "compose", *files, "config", "--format=json"], capture_output=True, check=True)
    services = json.loads(read.stdout)["services"]
    assert [name for name, service in services.items() if "kafka" in service.get("depends_on", {})] == []
    for name in ("topics", "worker", "monitor", "page"):
        assert services[name]["environment"]["RISKSTREAM_BROKER"] == "kafka.example.com:9092"
        assert services[name]["environment"]["RISKSTREAM_PARTITIONS"] == "8"
        assert services[name]["volumes"][0]["read_only"] is True


def test_the_overlay_fits_the_base(tmp_path: Path) -> None:
    """It changes image, broker, partitions and the greatest number of workers, wherever they stand."""
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    base = tmp_path / "riskstream" / "deploy"
    base.mkdir(parents=True)
    subprocess.run(["cp", "-r", ROOT / "deploy" / "kubernetes", base], check=True)
    (overlay / "kustomization.yaml").write_text(snippet("kustomization.yaml"))
    built = subprocess.run([TOOLS / "kustomize", "build", overlay], capture_output=True, text=True, check=True).stdout
    assert built.count("image: ghcr.io/example/riskstream:0.1.0") == 4
    assert "RISKSTREAM_BROKER: kafka-bootstrap.kafka.svc:9092" in built
    assert 'RISKSTREAM_PARTITIONS: "24"' in built
    assert "maxReplicas: 24" in built
