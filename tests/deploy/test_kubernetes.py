from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from stream.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
SETTINGS = {f"RISKSTREAM_{name.upper()}" for name in Settings.model_fields}
VERSIONS = ("1.34", "1.37")
"""Of Kubernetes: an old one that is still in use, and the newest whose schemas are known."""

Resource = dict[str, Any]


@pytest.fixture(scope="module")
def resources(built_kubernetes: str) -> list[Resource]:
    """Give all resources that are applied."""
    return list(yaml.safe_load_all(built_kubernetes))


@pytest.fixture(scope="module")
def pods(resources: list[Resource]) -> dict[str, Resource]:
    """Give the specification of each process's pod, by component."""
    owners = [one for one in resources if one["kind"] in {"Deployment", "Job"}]
    templates = [one["spec"]["template"] for one in owners]
    return {one["metadata"]["labels"]["app.kubernetes.io/component"]: one["spec"] for one in templates}


def only(resources: list[Resource], kind: str, name: str) -> Resource:
    """Return the one resource of a kind and a name."""
    (found,) = (one for one in resources if one["kind"] == kind and one["metadata"]["name"] == name)
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_every_resource_is_one_that_kubernetes_takes(resources: list[Resource], version: str) -> None:
    """All resources hold what their schemas say, and no field that is in none."""
    assert len(resources) == 16
    for resource in resources:
        kubernetes_validate.validate(resource, version, strict=True)


def test_a_field_that_does_not_exist_is_found(resources: list[Resource]) -> None:
    """A mistyped field of a resource would not pass."""
    worker = only(resources, "Deployment", "riskstream-worker")
    mistyped = {**worker, "spec": {**worker["spec"], "replica": 3}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(mistyped, VERSIONS[-1], strict=True)


def test_every_file_is_applied_or_named_for_elsewhere(resources: list[Resource]) -> None:
    """No manifest lies in the folder that kustomize does not use."""
    used = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    named = {*used["resources"], *(patch["path"] for patch in used["patches"])}
    assert {path.name for path in FOLDER.iterdir()} - named == {"kustomization.yaml", "prometheus-adapter.yaml"}
    assert {one["metadata"].get("namespace", "riskstream") for one in resources} == {"riskstream"}


def test_pods_are_confined(pods: dict[str, Resource]) -> None:
    """Each pod keeps to the restricted standard, on a root file system that cannot be written, within limits."""
    assert set(pods) == {"worker", "monitor", "page", "topics"}
    for name, pod in pods.items():
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["serviceAccountName"] == "riskstream", name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["runAsUser"] == 65532, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        }, name
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/tmp"}, name
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}, name
        assert "memory" in container["resources"]["limits"], name
        assert container["image"].endswith(":0.1.0"), name


def test_pods_are_probed_where_they_answer(pods: dict[str, Resource]) -> None:
    """What serves pages is probed on /live and /ready of the port that it serves them on."""
    ports = {"worker": Settings().web_port, "monitor": Settings().monitor_port, "page": Settings().page_port}
    for name, port in ports.items():
        (container,) = pods[name]["containers"]
        assert container["ports"] == [{"name": "web", "containerPort": port}]
        for probe, path in (("startupProbe", "/live"), ("livenessProbe", "/live"), ("readinessProbe", "/ready")):
            assert container[probe]["httpGet"] == {"path": path, "port": "web"}, (name, probe)


def test_every_setting_exists(resources: list[Resource], pods: dict[str, Resource]) -> None:
    """What processes are told are settings, with values that they take; no secret is among them."""
    shared = only(resources, "ConfigMap", "riskstream-settings")["data"]
    for name, pod in pods.items():
        (container,) = pod["containers"]
        assert container["envFrom"] == [{"configMapRef": {"name": "riskstream-settings"}}], name
        own = {one["name"]: one.get("value", "from-a-secret") for one in container.get("env", [])}
        assert {*shared, *own} <= SETTINGS, name
        Settings(**{key.removeprefix("RISKSTREAM_").lower(): value for key, value in (shared | own).items()})
        token = [one for one in container.get("env", []) if one["name"] == "RISKSTREAM_PAGE_TOKEN"]
        assert all(one["valueFrom"]["secretKeyRef"] == {"key": "token", "name": "riskstream-page"} for one in token)
        assert bool(token) == (name == "page")


def test_workers_are_no_more_than_partitions(resources: list[Resource]) -> None:
    """The autoscaler stops at the number of partitions, and measures the group that workers are in."""
    shared = only(resources, "ConfigMap", "riskstream-settings")["data"]
    scaler = only(resources, "HorizontalPodAutoscaler", "riskstream-worker")["spec"]
    assert scaler["maxReplicas"] == int(shared["RISKSTREAM_PARTITIONS"])
    assert scaler["minReplicas"] >= 2
    metric = scaler["metrics"][0]["external"]["metric"]
    assert metric["selector"]["matchLabels"] == {"group": Settings().application_id}
    (rule,) = yaml.safe_load((FOLDER / "prometheus-adapter.yaml").read_text())["rules"]["external"]
    assert rule["name"]["matches"] == metric["name"]
    assert rule["seriesQuery"].startswith(metric["name"])
    worker = only(resources, "Deployment", "riskstream-worker")["spec"]
    assert "replicas" not in worker
    assert worker["template"]["spec"]["terminationGracePeriodSeconds"] > Settings().session_timeout_seconds


def test_selectors_find_the_pods_they_mean(resources: list[Resource], pods: dict[str, Resource]) -> None:
    """Services and budgets select a component that there is, by labels that its pods have."""
    selectors = [one["spec"]["selector"] for one in resources if one["kind"] == "Service"]
    selectors += [one["spec"]["selector"]["matchLabels"] for one in resources if one["kind"] == "PodDisruptionBudget"]
    assert len(selectors) == 4
    for selector in selectors:
        assert selector["app.kubernetes.io/component"] in pods


def test_nothing_may_speak_to_a_pod_unless_it_is_named(resources: list[Resource]) -> None:
    """One policy is on every pod, for both directions, and lets nobody in."""
    policy = only(resources, "NetworkPolicy", "riskstream")["spec"]
    assert policy["podSelector"] == {}
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in policy
