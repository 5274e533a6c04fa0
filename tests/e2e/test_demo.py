import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path


def demo(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the demonstration with temporary files in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "riskstream", "demo", *arguments],
        env=os.environ | {"TMPDIR": str(folder), "COLUMNS": "160"} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def running(mark: Path) -> list[str]:
    """Return the command lines of processes whose command line or environment names a path."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if str(mark).encode() in told and process.name != str(os.getpid()):
            found.append((process / "cmdline").read_text())
    return found


def test_the_demonstration_scores_a_stream_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """It ends with status 0, shows alerts with reasons and the closing table; no process and no file is left."""
    ran = demo(tmp_path, "--rate", "3000")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for shown in (
        "watch live at http://127.0.0.1:",
        "/metrics",
        "usual ",
        "fraud indeed",
        "transactions scored",
        "alerts on markets",
        "precision",
        "p50 / p99 / p99.9",
        "throughput",
    ):
        assert shown in ran.stdout
    assert running(tmp_path) == []
    assert [path for path in tmp_path.iterdir() if path.name.startswith("riskstream-demo-")] == []


def test_a_demonstration_that_is_kept_runs_until_told_to_stop(tmp_path: Path) -> None:
    """With --keep the page goes on to show all of it, live markets and health too; SIGINT then leaves nothing."""
    process = subprocess.Popen(
        [sys.executable, "-m", "riskstream", "demo", "--rate", "6000", "--keep"],
        env=os.environ | {"TMPDIR": str(tmp_path), "COLUMNS": "160", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        link = ""
        for line in process.stdout:
            link = link or "".join(re.findall(r"watch live at (http://[\d.:]+)", line))
            if "all is left running" in line:
                break
        kept, symbols, health = (
            json.load(urllib.request.urlopen(f"{link}/api/{name}", timeout=30))
            for name in ("alerts", "symbols", "health")
        )
        assert (len(kept["alerts"]), len(symbols["symbols"])) == (100, 4)
        assert [worker["problem"] for worker in health["workers"]] == [""]
        process.send_signal(signal.SIGINT)
        assert "all is stopped now" in process.stdout.read()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert running(tmp_path) == []


def test_a_demonstration_that_cannot_be_says_why(tmp_path: Path) -> None:
    """A bundle that is not there, or a setting that cannot be, ends it with status 2 and one line."""
    for ran, named in (
        (demo(tmp_path, "--bundle", str(tmp_path / "none")), "none, which is not there"),
        (demo(tmp_path, RISKSTREAM_LOG_LEVEL="loud"), "RISKSTREAM_LOG_LEVEL='loud'"),
    ):
        assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr
        assert named in ran.stderr


def test_a_worker_that_fails_fails_the_demonstration(tmp_path: Path) -> None:
    """When the worker cannot start, the demonstration ends with status 1, tells of it, and leaves nothing running."""
    (tmp_path / "sitecustomize.py").write_text("import os, sys\nif sys.orig_argv[-1] == 'run':\n    os._exit(3)\n")
    ran = demo(tmp_path, PYTHONPATH=str(tmp_path))
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "the worker ended with status" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert running(tmp_path) == []
