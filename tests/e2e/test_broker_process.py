import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from apache_kafka import apache_kafka
from stream.broker_process import BrokerError, BrokerProcess, answers, free_port
from stream.embedded_broker import embedded_broker

_PARENT = """
import sys, time
from pathlib import Path
from stream.embedded_broker import embedded_broker
with embedded_broker(Path(sys.argv[1])) as broker:
    print(broker.pid, broker.port, flush=True)
    time.sleep(60)
"""


def _ended(pid: int, within_seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def _fail_while_it_runs(directory: Path, pids: list[int]) -> None:
    with embedded_broker(directory) as broker:
        assert broker.pid is not None
        pids.append(broker.pid)
        raise ZeroDivisionError


def test_answers_once_started(broker: BrokerProcess) -> None:
    """A broker that was started answers on its port, and its process is known."""
    assert answers(broker.port)
    assert broker.pid is not None


def test_refuses_a_second_start(broker: BrokerProcess) -> None:
    """Starting a broker that runs is refused, and the first goes on."""
    pid = broker.pid
    with pytest.raises(BrokerError, match="already runs"):
        broker.start()
    assert broker.pid == pid


def test_ctrl_c_does_not_reach_the_broker(broker: BrokerProcess) -> None:
    """The broker is in no process group of ours, so a terminal's Ctrl-C leaves it up while we checkpoint."""
    assert broker.pid is not None
    assert os.getpgid(broker.pid) != os.getpgrp()


def test_nothing_is_left_after_the_block(tmp_path: Path) -> None:
    """The embedded broker has ended when its block is left, also by an exception."""
    pids: list[int] = []
    with pytest.raises(ZeroDivisionError):
        _fail_while_it_runs(tmp_path, pids)
    assert _ended(pids[0], within_seconds=0.1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux alone ends a child with its parent")
@pytest.mark.parametrize("death", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_dies_with_its_parent(tmp_path: Path, death: signal.Signals) -> None:
    """The embedded broker ends when the process that started it is killed, however it is killed."""
    command = [sys.executable, "-c", _PARENT, str(tmp_path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root) as parent:
        assert parent.stdout is not None
        pid, port = map(int, parent.stdout.readline().split())
        assert answers(port)
        parent.send_signal(death)
        parent.wait(timeout=30)
        assert _ended(pid)


def test_kafka_survives_a_kill(tmp_path: Path) -> None:
    """Apache Kafka that was killed starts again on the same port and its old data."""
    with apache_kafka(tmp_path) as broker:
        first, port = broker.pid, broker.port
        assert first is not None
        broker.kill()
        assert not answers(port)
        broker.start()
        assert answers(port)
        assert broker.pid != first
        last = broker.pid
    assert last is not None
    assert _ended(last, within_seconds=0.1)


def test_a_broker_that_cannot_start_tells_why(tmp_path: Path) -> None:
    """A broker that exits before it answers raises at once, with what it wrote to its log."""
    script = [sys.executable, "-c", "print('the disk is full'); raise SystemExit(3)"]
    broker = BrokerProcess(script, free_port(), tmp_path / "log")
    with pytest.raises(BrokerError, match=r"(?s)status 3.*the disk is full"):
        broker.start()
    assert broker.pid is None


def test_a_broker_that_stays_silent_is_killed(tmp_path: Path) -> None:
    """A broker that runs but never answers is given up after the time allowed, and ended."""
    pid_file = tmp_path / "pid"
    script = f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    broker = BrokerProcess([sys.executable, "-c", script], free_port(), tmp_path / "log")
    with pytest.raises(BrokerError, match="did not answer within 1 s"):
        broker.start(timeout_seconds=1)
    assert _ended(int(pid_file.read_text()), within_seconds=0.1)


def test_a_taken_port_is_an_error(tmp_path: Path, embedded: BrokerProcess) -> None:
    """A port on which another broker answers is refused, rather than that broker taken for ours."""
    with pytest.raises(BrokerError, match="is taken"), embedded_broker(tmp_path, embedded.port):
        pass
    assert answers(embedded.port)


def test_missing_jars_name_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the jars the real broker says how to get them."""
    monkeypatch.setattr("apache_kafka.JARS", tmp_path)
    if shutil.which("java") is None:
        pytest.skip("no java on this machine")
    with pytest.raises(BrokerError, match="run `make kafka`"), apache_kafka(tmp_path):
        pass


def test_missing_java_names_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Java the real broker says what to install."""
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(BrokerError, match="install a Java runtime"), apache_kafka(tmp_path):
        pass
