import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream.settings import Settings

ROOT = Path(__file__).parents[2]
ONE_SHOT = {"topics"}
SERVING = ("topics", "worker", "monitor", "page", "simulator")
SETTINGS = {f"RISKSTREAM_{name.upper()}" for name in Settings.model_fields}


def test_services_are_confined(services: dict[str, Any]) -> None:
    """No service runs as root, can write its root file system, gain rights or use more than its share."""
    for name, service in services.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert not service.get("cap_add"), name
        assert not service.get("privileged"), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["user"].split(":")[0] not in {"", "0", "root"}, name
        assert service["cpus"] > 0, name
        assert int(service["mem_limit"]) > 0, name
        assert service["pids_limit"] > 0, name
        assert service["restart"], name
        assert service["stop_grace_period"], name
        assert service["logging"]["options"]["max-size"], name
        assert service.get("network_mode") != "host", name


def test_ports_are_open_to_this_machine_alone(services: dict[str, Any]) -> None:
    """Every published port is on loopback, and no two are the same."""
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in ports} == {"127.0.0.1"}
    published = [port["published"] for port in ports]
    assert len(published) == len(set(published))
    assert {"8080", "9090", "9093", "3000", "29092"} == set(published)


def test_images_are_pinned(services: dict[str, Any]) -> None:
    """Every image has the tag of a release, never latest or none."""
    for name, service in services.items():
        tag = service["image"].rpartition("/")[2].partition(":")[2]
        assert any(digit.isdigit() for digit in tag), (name, service["image"])


def test_services_tell_how_they_are(services: dict[str, Any]) -> None:
    """Every service that runs on has a health check; who waits for a healthy one, waits for one that can be."""
    for name, service in services.items():
        if name not in ONE_SHOT:
            assert service["healthcheck"]["test"][0] == "CMD", name
        for other, condition in service.get("depends_on", {}).items():
            if condition["condition"] == "service_healthy":
                assert "test" in services[other].get("healthcheck", {}), (name, other)
            if condition["condition"] == "service_completed_successfully":
                assert other in ONE_SHOT, (name, other)


def test_what_scores_waits_for_the_topics(services: dict[str, Any]) -> None:
    """Every process of riskstream starts when the topics are there, and they when Kafka is."""
    for name in set(SERVING) - ONE_SHOT:
        assert services[name]["depends_on"]["topics"]["condition"] == "service_completed_successfully", name
    assert services["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"


def test_workers_can_be_many(services: dict[str, Any]) -> None:
    """Nothing of the worker is its own: no name, no port of the host, no instance id; and partitions go round."""
    worker = services["worker"]
    assert not {"container_name", "ports", "volumes", "hostname"} & worker.keys()
    assert "RISKSTREAM_INSTANCE_ID" not in worker["environment"]
    assert int(worker["environment"]["RISKSTREAM_PARTITIONS"]) >= 8


@pytest.mark.parametrize("name", SERVING)
def test_every_setting_exists(services: dict[str, Any], name: str) -> None:
    """What a service is told is a setting, with a value that it takes; all agree on broker and partitions."""
    told = services[name]["environment"]
    assert set(told) <= SETTINGS
    read = Settings(**{key.removeprefix("RISKSTREAM_").lower(): value for key, value in told.items()})
    assert (read.broker, read.partitions) == ("kafka:9092", 8)
    assert services[name]["build"]["context"] == str(ROOT)


def test_no_secret_is_in_the_file(services: dict[str, Any]) -> None:
    """No variable of any service is one that would hold a secret."""
    for name, service in services.items():
        for variable in service.get("environment", {}):
            assert not any(word in variable.lower() for word in ("password", "secret", "token", "key")), (
                name,
                variable,
            )


def test_what_is_mounted_is_in_the_repository(services: dict[str, Any]) -> None:
    """Every folder or file that a service is given is committed, and given for reading alone."""
    given = [
        volume for service in services.values() for volume in service.get("volumes", []) if volume["type"] == "bind"
    ]
    assert len(given) == 5
    for volume in given:
        assert volume["read_only"] is True, volume
        committed = subprocess.run(
            ["git", "ls-files", "--", volume["source"]], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert committed.stdout, f"{volume['source']} is not in the repository"


def test_grafana_finds_its_dashboards_where_they_are_mounted(services: dict[str, Any]) -> None:
    """Every path that Grafana is told to read dashboards from is mounted."""
    mounted = {volume["target"] for volume in services["grafana"]["volumes"]}
    files = sorted((ROOT / "deploy" / "grafana" / "provisioning" / "dashboards").glob("*.y*ml"))
    providers = [provider for file in files for provider in yaml.safe_load(file.read_text())["providers"]]
    assert providers
    assert {provider["options"]["path"] for provider in providers} <= mounted


def test_prometheus_asks_services_at_the_ports_they_serve_on(services: dict[str, Any]) -> None:
    """Prometheus looks for workers and monitor by names and ports that services have."""
    wanted = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()
    for job in yaml.safe_load(wanted)["scrape_configs"]:
        for found in job.get("dns_sd_configs", []):
            assert {(name, found["port"]) for name in found["names"]} <= {("worker", Settings().web_port)}
        for static in job.get("static_configs", []):
            names = {target.partition(":")[0] for target in static["targets"]}
            assert names <= services.keys() | {"localhost"}
