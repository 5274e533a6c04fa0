import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

from crew import Crew, until_worked_off
from fault_stream import FaultStream
from live import Worker, environment
from truth import assert_equal, outcome, truth

from stream.broker_process import free_port
from stream.bundles import read_bundles
from stream.settings import Settings


def test_a_worker_without_a_disk_goes_on(
    fault_settings: Settings, fault_stream: FaultStream, chance: random.Random, crew: Crew, tmp_path: Path
) -> None:
    """With a full disk, log included, a worker scores on, checkpoints and takes over: all it keeps is in Kafka."""
    bundles = read_bundles(fault_settings)
    sending = fault_stream.sending(fault_settings, 15.0)
    ordinary = crew.start(fault_settings)
    ordinary.wait_until(ordinary.ready)
    diskless = _diskless_worker(fault_settings, tmp_path / "empty")
    try:
        time.sleep(chance.uniform(4.0, 8.0))
        # From now on the diskless one holds everything.
        ordinary.kill()
        sending.join()
        until_worked_off([diskless])
        diskless.stop()
    finally:
        diskless.kill()
    assert [one.name for one in tmp_path.iterdir() if one != crew.log] == ["empty"]
    assert list((tmp_path / "empty").iterdir()) == []
    assert_equal(outcome(fault_settings, bundles), truth(fault_settings, bundles, in_recorded_order=True))


def _diskless_worker(settings: Settings, directory: Path) -> Worker:
    """Start a worker that can write to no file; every write to its log fails as on a full disk.

    It runs in the directory, in which nothing may appear.
    """
    directory.mkdir()
    settings = settings.model_copy(update={"web_port": free_port()})

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [sys.executable, "-m", "riskstream", "run"],
            env=environment(settings),
            stdout=full,
            stderr=full,
            cwd=directory,
            preexec_fn=fill,
        )
    return Worker(process, settings, Path(os.devnull))
