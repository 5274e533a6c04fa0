"""Fixtures for the tests of the deployment: what `make containers` builds, and the image."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.container_image import ContainerImage, container_image

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".cache" / "deploy-tools"


@pytest.fixture(scope="session")
def services() -> dict[str, Any]:
    """Give the services of docker-compose.yml by name, as docker compose itself reads them."""
    read = subprocess.run(
        [
            TOOLS / "compose",
            "--project-directory",
            ROOT,
            "--file",
            ROOT / "docker-compose.yml",
            "config",
            "--format=json",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert read.returncode == 0, read.stderr
    assert read.stderr == ""
    found: dict[str, Any] = json.loads(read.stdout)["services"]
    return found


@pytest.fixture(scope="session")
def built_kubernetes() -> str:
    """Give what `kustomize build` makes of deploy/kubernetes: YAML documents."""
    built = subprocess.run(
        [TOOLS / "kustomize", "build", ROOT / "deploy" / "kubernetes"], capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    return built.stdout


@pytest.fixture(scope="session")
def image() -> Iterator[ContainerImage]:
    """Give the image of the Dockerfile, built for real, with its root file system mounted."""
    with container_image(ROOT) as built:
        yield built
