import signal
import subprocess
import sys
from pathlib import Path

from live import Worker, environment, make_topics, published

from stream.broker_process import BrokerProcess, free_port
from stream.settings import Settings
from tests.deploy.container_image import ContainerImage

ROOT = Path(__file__).parents[2]
LARGEST_APPLICATION_BYTES = 620_000_000
"""Python and Debian come on top: about 130 MB in the Dockerfile's own base."""

PYTHON = "/opt/riskstream/libraries/bin/python"


def test_the_dockerfile_is_as_a_linter_wants_it() -> None:
    """The linter of Dockerfiles has nothing to say."""
    linted = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout, linted.stderr) == (0, "", "")


def test_the_image_runs_as_nobody_on_a_file_system_for_reading(image: ContainerImage) -> None:
    """Its user is a number that is not root, owns nothing of it, and can write /tmp alone."""
    assert image.config["User"] == "65532:65532"
    ran = image.run("-c", "id -u; id -g; touch /tmp/x && echo wrote; touch /opt/riskstream/x /x", program="sh")
    assert ran.stdout.split() == ["65532", "65532", "wrote"]
    assert ran.stderr.count("Read-only file system") == 2
    owned = [path for path in (image.root / "opt").rglob("*") if path.lstat().st_uid != 0]
    assert owned == []


def test_the_image_has_what_serves_and_no_more(image: ContainerImage) -> None:
    """What learns, installs or tests is not there, nor this repository's history; it is not larger than it may be."""
    absent = ("tensorflow", "keras", "sklearn", "scipy", "pandas", "matplotlib", "onnx", "pytest", "pip", "setuptools")
    for name in absent:
        assert image.run("-c", f"import {name}", program=PYTHON).returncode == 1, name
    for name in ("pyarrow", "aiohttp", "faust", "onnxruntime", "numba"):
        assert image.run("-c", f"import {name}", program=PYTHON).returncode == 0, name
    application = image.root / "opt" / "riskstream"
    assert {path.name for path in application.iterdir() if not path.name.endswith(".py")} == {
        *("__pycache__", "bundles", "compiled", "container.txt", "libraries"),
        *("risk", "schemas", "stream", "training"),
    }
    # Where the file was mounted for the build an empty one may be left.
    registry = image.root / "etc" / "pip.conf"
    assert not registry.exists() or registry.read_text() == ""
    size_bytes = sum(path.lstat().st_blocks * 512 for path in application.rglob("*"))
    assert size_bytes < LARGEST_APPLICATION_BYTES, f"{size_bytes:,} bytes"


def test_the_command_line_works_in_the_image(image: ContainerImage) -> None:
    """Help names the command; bundles hold their golden rows, though compiled for any processor."""
    assert "Usage: riskstream [OPTIONS]" in image.run("--help").stdout
    for bundle in ("bundles/demo", "bundles/demo-market"):
        ran = image.run("bundle", "verify", bundle)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.startswith("good")


def test_nothing_is_compiled_at_the_start(image: ContainerImage) -> None:
    """All loops that a worker warms up are loaded from the image; none is compiled or saved anew."""
    program = (
        "riskstream --help >/dev/null && exec libraries/bin/python -m stream.warm_up bundles/demo bundles/demo-market"
    )
    ran = image.run("-c", program, program="sh", variables={"NUMBA_DEBUG_CACHE": "1"})
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.count("data loaded") > 20
    assert "saved" not in ran.stdout


def test_without_a_folder_to_write_it_says_what_is_missing(image: ContainerImage) -> None:
    """Where not even /tmp can be written it ends with status 2 and the remedy."""
    ran = image.run("--help", variables={"NUMBA_CACHE_DIR": "/opt/compiled"})
    assert ran.returncode == 2
    assert "give the container a tmpfs at /tmp" in ran.stderr


def test_a_worker_of_the_image_scores_and_stops_when_told(
    kafka: BrokerProcess, image: ContainerImage, tmp_path: Path
) -> None:
    """Beside a simulator of the image it raises alerts, calls itself healthy, and ends well on SIGTERM."""
    settings = Settings(
        broker=kafka.bootstrap,
        topic_prefix="image.",
        application_id="image",
        market_bundle="bundles/demo-market",
        web_port=free_port(),
    )
    own = environment(settings)
    variables = {name: value for name, value in own.items() if name.startswith("RISKSTREAM_")}
    make_topics(settings)
    log = tmp_path / "log"
    with log.open("ab") as output:
        worker = Worker(
            subprocess.Popen(image.command("run", variables=variables), stdout=output, stderr=output), settings, log
        )
        simulator = subprocess.Popen(
            image.command("simulate", "--rate", "200", "--customers", "200", variables=variables),
            stdout=subprocess.PIPE,
            stderr=output,
        )
    try:
        worker.wait_until(lambda: worker.metric("riskstream_events_total", event="scored") > 9_000)
        test, run, *arguments = image.config["Healthcheck"]["Test"]
        assert test == "CMD"
        arguments[-1] = arguments[-1].replace(":6066/", f":{settings.web_port}/")
        assert image.run(*arguments, program=run).returncode == 0
        simulator.send_signal(signal.SIGTERM)
        assert simulator.wait(60) == 0, log.read_text()
        worker.stop()
    finally:
        simulator.kill()
        simulator.wait()
        worker.kill()
    assert image.run(*arguments, program=run).returncode != 0
    assert published(settings, "alerts")
    assert published(settings, "deadletter") == []
