import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from live import run_verb

from stream.broker_process import free_port
from stream.settings import Settings
from stream.topics import topics


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_broker_serves_until_it_is_stopped(tmp_path: Path, number: signal.Signals) -> None:
    """`riskstream broker` says where it is, takes topics, and ends well on Ctrl-C and SIGTERM; its data stays."""
    port = free_port()
    settings = Settings(broker=f"127.0.0.1:{port}", partitions=2)
    for turn in range(2):
        with subprocess.Popen(
            [sys.executable, "-m", "riskstream", "broker", "--port", str(port), "--data", str(tmp_path / "data")],
            env=os.environ | {"COLUMNS": "300"},
            stdout=subprocess.PIPE,
            text=True,
        ) as broker:
            assert broker.stdout is not None
            assert f"broker at 127.0.0.1:{port}" in broker.stdout.readline()
            shown = run_verb(settings, "topics")
            assert all(topic.name in shown for topic in topics("", 2, 1)), turn
            broker.send_signal(number)
            assert broker.wait(30) == 0
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    """A port that something listens on ends the verb with status 2 and one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = subprocess.run(
            [sys.executable, "-m", "riskstream", "broker", "--port", str(port), "--data", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert f"port {port} of 127.0.0.1 is taken" in ran.stderr
