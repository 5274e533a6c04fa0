"""The container image, built for real by buildah on a base made by debootstrap, and run without a container engine.

A process of it gets the image's root file system, mounted for reading alone, a /tmp in memory, and the image's user and
environment, on this machine's network. Images of registries are not needed: the base is Debian's own Python, the same
version that the Dockerfile's base has.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BASE = "localhost/riskstream-test-base"
_IMAGE = "localhost/riskstream-test"
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

# What an engine does before it starts a process: a namespace of mounts of its own, the root for reading alone.
_ENTER = """
set -eu
mount --make-rprivate /
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$1/tmp"
mount --rbind /dev "$1/dev"
mount -t proc proc "$1/proc"
root=$1 user=$2
shift 2
exec chroot --userspec="$user" "$root" env -i "$@"
"""


@dataclass(frozen=True)
class ContainerImage:
    """An image: its root file system on this machine, and its configuration, as `docker inspect` has it."""

    root: Path
    config: Mapping[str, Any]

    def command(self, *arguments: str, variables: Mapping[str, str] | None = None, program: str = "") -> list[str]:
        """Return what runs the image with arguments, or a program of it in place of its entry point.

        `variables` are added to the image's own. Signals sent to the process arrive at the program.
        """
        told = [*self.config["Env"], *(f"{name}={value}" for name, value in (variables or {}).items())]
        run = [program] if program else self.config["Entrypoint"]
        # chroot starts in the root folder, an engine in the image's working directory.
        inside = ["sh", "-c", 'cd "$0" && exec "$@"', self.config["WorkingDir"], *run, *arguments]
        return ["unshare", "--mount", "sh", "-c", _ENTER, "sh", str(self.root), self.config["User"], *told, *inside]

    def run(
        self, *arguments: str, variables: Mapping[str, str] | None = None, program: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run the image to its end, likewise, and return what it printed."""
        return subprocess.run(
            self.command(*arguments, variables=variables, program=program), capture_output=True, text=True, check=False
        )


@contextmanager
def container_image(repository: Path) -> Iterator[ContainerImage]:
    """Build the Dockerfile of a repository and mount what comes out while the block lasts.

    The base, downloads and the image are kept in .cache/containers, and the image is built anew when a file that goes
    into it has changed. Needs root.
    """
    cache = _folder(repository / ".cache" / "containers")
    if not (cache / "base.complete").exists():
        _make_base(cache)
    built, wanted = cache / "built", _digest(repository)
    if not built.exists() or built.read_text() != wanted:
        built.unlink(missing_ok=True)
        _build(repository, cache)
        built.write_text(wanted)
    config = json.loads(_buildah(cache, "inspect", "--type=image", _IMAGE))["Docker"]["config"]
    container = _buildah(cache, "from", "--pull-never", _IMAGE)
    try:
        yield ContainerImage(Path(_buildah(cache, "mount", container)), config)
    finally:
        _buildah(cache, "rm", container)


def _digest(repository: Path) -> str:
    """Return a digest of all that the Dockerfile copies, and of itself."""
    names = ["*.py", *("bundles", "risk", "schemas", "stream", "training")]
    found = [path for name in names for path in repository.glob(name) for path in (path, *path.rglob("*"))]
    found += [repository / name for name in ("Dockerfile", ".dockerignore", "requirements/container.txt")]
    found += (repository / "deploy" / "container").iterdir()
    digest = hashlib.sha256()
    for path in sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts):
        digest.update(f"{path.relative_to(repository)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _build(repository: Path, cache: Path) -> None:
    # The registry that this machine is set up to use, and the certificates that it trusts; neither stays in the image.
    pip = cache / "pip.conf"
    pip.touch(mode=0o600)
    pip.write_text(_pip_configuration())
    _buildah(
        cache,
        "build",
        "--isolation=chroot",
        "--network=host",
        "--format=docker",
        "--pull-never",
        f"--build-arg=BASE={_BASE}",
        f"--volume={pip}:/etc/pip.conf:ro",
        f"--volume={_CERTIFICATES}:{_CERTIFICATES}:ro",
        f"--volume={_folder(cache / 'pip')}:/var/cache/pip",
        f"--tag={_IMAGE}",
        str(repository),
    )
    _buildah(cache, "rmi", "--prune", "--force")


def _make_base(cache: Path) -> None:
    """Make an image of a small Debian 12 with Python 3.11, the one of the Dockerfile's base."""
    root = cache / "base"
    _run("rm", "-rf", str(root))
    found = _run("apt-get", "indextargets", "--format=$(REPO_URI)", "Codename: bookworm", "Created-By: Packages")
    mirror = found.split()[0] if found else "http://deb.debian.org/debian"
    _run(
        "debootstrap",
        "--variant=minbase",
        f"--cache-dir={_folder(cache / 'debian')}",
        "--include=python3,python3-venv",
        "bookworm",
        str(root),
        mirror,
    )
    container = _buildah(cache, "from", "scratch")
    mounted = _buildah(cache, "mount", container)
    _run("cp", "-a", f"{root}/.", mounted)
    _buildah(cache, "commit", "--rm", container, _BASE)
    _run("rm", "-rf", str(root))
    (cache / "base.complete").touch()


def _pip_configuration() -> str:
    """Return, as a file of pip, where this machine's pip finds packages, from its files and its environment."""
    settings = _run(sys.executable, "-m", "pip", "config", "list")
    found = dict(line.partition("=")[::2] for line in settings.splitlines())
    lines = ["[global]", "cache-dir = /var/cache/pip", f"cert = {_CERTIFICATES}"]
    for name in ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout"):
        values = [value for key, value in found.items() if key.endswith(f".{name}")]
        if values:
            lines.append(f"{name} = {values[-1].strip(chr(39))}")
    return "\n".join(lines) + "\n"


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _buildah(cache: Path, *arguments: str) -> str:
    places = (f"--root={cache / 'storage'}", f"--runroot={cache / 'run'}", "--storage-driver=vfs")
    return _run("buildah", *places, *arguments)


def _run(*command: str) -> str:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{' '.join(command)}:\n{ran.stdout[-5000:]}{ran.stderr[-5000:]}"
    return ran.stdout.strip()
