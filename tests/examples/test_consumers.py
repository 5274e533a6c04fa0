import os
import runpy
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import msgspec
import pytest
from forwarding import SECRET, own_settings, put, some_alerts, start_forwarder
from go_toolchain import go
from live import Worker

from schemas.encoding import encode
from stream.broker_process import BrokerProcess, free_port
from stream.settings import Settings

ROOT = Path(__file__).parents[2]
CONSUMERS = ROOT / "examples" / "consumers"
PUBLISHED = {
    "identity": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": "1614265330",
    "signatures": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    "body": b'{"test": 2432232314}',
}
"""The test vector of Standard Webhooks' libraries, for the secret in `forwarding`."""


def run_go(*arguments: str) -> str:
    """Run go in the example's folder, which must end well; return what it printed."""
    ran = subprocess.run(
        [go(), *arguments],
        cwd=CONSUMERS / "go",
        env=os.environ | {"GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.strip()


@pytest.fixture(scope="module")
def go_consumer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the example in Go, built by the versions that it pins."""
    binary = tmp_path_factory.mktemp("go") / "consumer"
    run_go("build", "-o", str(binary), ".")
    return binary


def start(command: list[str], settings: Settings, folder: Path, **variables: str) -> Worker:
    """Start a program; what it prints goes to `out`, and what it says otherwise to `errors`."""
    with (folder / "out").open("ab") as out, (folder / "errors").open("ab") as errors:
        process = subprocess.Popen(command, env=os.environ | variables, stdout=out, stderr=errors)
    return Worker(process, settings, folder / "errors")


def lines(folder: Path) -> list[str]:
    """Return the lines that were printed."""
    return (folder / "out").read_text().splitlines()


def test_the_go_example_is_formatted_and_vetted(go_consumer: Path) -> None:
    """The gofmt beside go has nothing to change, and `go vet` nothing to say."""
    gofmt = Path(run_go("env", "GOROOT")) / "bin" / "gofmt"
    assert subprocess.run([gofmt, "-l", CONSUMERS / "go"], capture_output=True, check=True).stdout == b""
    run_go("vet", ".")


@pytest.mark.parametrize("language", ["python", "go"])
def test_a_consumer_prints_each_alert_once_and_goes_on_where_it_was(
    kafka: BrokerProcess, tmp_path: Path, go_consumer: Path, language: str
) -> None:
    """Repeats, what is no alert and unknown fields do not disturb it; SIGTERM ends it well, all of it committed."""
    settings = own_settings(kafka, f"example-{language}")
    alerts = some_alerts(30)
    later = encode(alerts[0]).replace(b'"a0"', b'"later"')[:-1] + b',"of_a_later_release":{"x":[1]}}'
    wrong = msgspec.json.encode(msgspec.to_builtins(alerts[0]) | {"alert_id": "wrong", "severity": "extreme"})
    put(settings, [*alerts[:20], b"no json", wrong, *alerts[10:], later])
    options = {"broker": settings.broker, "topic": settings.topic("alerts"), "group": settings.application_id}
    options["schema"] = str(ROOT / "schemas" / "json" / "Alert.schema.json")
    command = [str(go_consumer)]
    if language == "python":
        command = [sys.executable, str(CONSUMERS / "python" / "consume_alerts.py")]
    command += [f"--{name}={value}" for name, value in options.items()]
    consumer = start(command, settings, tmp_path)
    consumer.wait_until(lambda: len(lines(tmp_path)) >= 31)
    consumer.stop()
    assert sorted(lines(tmp_path)) == sorted(
        f"{identity} customer high decline AMOUNT_UNUSUAL" for identity in (*(one.alert_id for one in alerts), "later")
    )
    assert (tmp_path / "errors").read_text().count("passed over") == 2
    put(settings, some_alerts(5, first=30))
    consumer = start(command, settings, tmp_path)
    consumer.wait_until(lambda: len(lines(tmp_path)) >= 36)
    consumer.stop()
    assert {line.split()[0] for line in lines(tmp_path)[31:]} == {f"a{number}" for number in range(30, 35)}


@pytest.mark.parametrize(
    ("change", "genuine"),
    [
        ({}, True),
        ({"signatures": f"v1,AAAA {PUBLISHED['signatures']!s}"}, True),
        ({"now_seconds": 1614265330.0 + 299}, True),
        ({"now_seconds": 1614265330.0 + 302}, False),
        ({"now_seconds": 1614265330.0 - 302}, False),
        ({"body": b'{"test": 2432232315}'}, False),
        ({"identity": "msg_other"}, False),
        ({"timestamp": "1614265331"}, False),
        ({"timestamp": "soon"}, False),
        ({"signatures": ""}, False),
        ({"secret": "whsec_" + "A" * 32}, False),
    ],
)
def test_the_receiver_knows_what_is_genuine(change: dict[str, Any], genuine: bool) -> None:
    """The published example is, and nothing that differs from it, or is old."""
    is_genuine = runpy.run_path(str(CONSUMERS / "python" / "webhook_receiver.py"))["is_genuine"]
    request = {"secret": SECRET, "now_seconds": 1614265330.0} | PUBLISHED | change
    assert is_genuine(**request) is genuine


def test_the_receiver_takes_what_the_forwarder_sends(kafka: BrokerProcess, tmp_path: Path) -> None:
    """A line for each alert; a forged request and one that is too large are refused; SIGTERM ends it well."""
    settings = own_settings(kafka, "receiver")
    put(settings, some_alerts(3))
    port = free_port()
    program = [sys.executable, str(CONSUMERS / "python" / "webhook_receiver.py"), "--port", str(port)]
    receiver = start(program, settings, tmp_path, RISKSTREAM_WEBHOOK_SECRET=SECRET)
    forwarder = start_forwarder(settings, tmp_path / "log", "webhook", f"http://127.0.0.1:{port}/")
    forwarder.wait_until(lambda: len(lines(tmp_path)) == 3)
    forwarder.stop()
    forged = {"webhook-id": "x", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
    for headers, status in ((forged, 401), ({"Content-Length": "99999999"}, 413)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/", b"{}", headers))
        assert refused.value.code == status
    receiver.stop()
    assert {line.split()[0] for line in lines(tmp_path)} == {"a0", "a1", "a2"}
