import random
import time

from crew import Crew, until_worked_off
from fault_stream import FaultStream
from truth import assert_equal, outcome, truth

from stream.bundles import read_bundles
from stream.settings import Settings

SECONDS = 45.0


def test_workers_that_join_leave_and_die_lose_and_double_nothing(
    fault_settings: Settings, fault_stream: FaultStream, chance: random.Random, crew: Crew
) -> None:
    """Workers join, leave and die, one and all, while a stream comes; every output comes once."""
    bundles = read_bundles(fault_settings)
    workers = [crew.start(fault_settings)]
    sending = fault_stream.sending(fault_settings, SECONDS)
    most = 1
    while sending.is_alive():
        time.sleep(chance.uniform(3.0, 7.0))
        if len(workers) < 2 or (len(workers) == 2 and chance.random() < 0.5):
            workers.append(crew.start(fault_settings))
            most = max(most, len(workers))
            continue
        how = chance.choice(["stop", "kill", "kill all"])
        if how == "kill all":
            for one in workers:
                one.kill()
            workers = []
            continue
        leaving = workers.pop(chance.randrange(len(workers)))
        if how == "stop":
            # Before that it has nothing to leave, and no ear for the signal.
            leaving.wait_until(leaving.ready)
            leaving.stop()
        else:
            leaving.kill()
    workers = workers or [crew.start(fault_settings)]
    until_worked_off(workers)
    for worker in workers:
        worker.stop()
    assert most >= 2
    assert_equal(outcome(fault_settings, bundles), truth(fault_settings, bundles, in_recorded_order=True))
