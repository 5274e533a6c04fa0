import random
import time
from pathlib import Path

from fault_stream import FaultStream
from live import Worker, start_worker
from truth import assert_equal, outcome, truth
from worked_off import until_worked_off

from stream.broker_process import free_port
from stream.bundle_files import read_bundle
from stream.settings import Settings

SECONDS = 60.0


def start_another(settings: Settings, log: Path) -> Worker:
    """Start one more worker of the same group."""
    return start_worker(settings.model_copy(update={"web_port": free_port()}), log)


def test_workers_that_join_leave_and_die_lose_and_double_nothing(
    fault_settings: Settings, fault_stream: FaultStream, chance: random.Random, tmp_path: Path
) -> None:
    """Partitions change hands by joining, leaving and dying workers while a stream comes; every output comes once."""
    bundle = read_bundle(fault_settings.bundle)
    log = tmp_path / "worker.log"
    workers = [start_another(fault_settings, log)]
    sending = fault_stream.sending(fault_settings, SECONDS)
    most = 1
    while sending.is_alive():
        time.sleep(chance.uniform(3.0, 7.0))
        if len(workers) < 2 or (len(workers) == 2 and chance.random() < 0.5):
            workers.append(start_another(fault_settings, log))
            most = max(most, len(workers))
            continue
        leaving = workers.pop(chance.randrange(len(workers)))
        if chance.random() < 0.5:
            leaving.stop()
        else:
            leaving.kill()
    until_worked_off(workers)
    for worker in workers:
        worker.stop()
    assert most >= 2
    assert_equal(outcome(fault_settings, bundle), truth(fault_settings, bundle, in_recorded_order=True))
