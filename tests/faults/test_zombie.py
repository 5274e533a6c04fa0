import os
import random
import time

from crew import Crew, until_worked_off
from fault_stream import FaultStream
from truth import assert_equal, outcome, truth

from stream.bundles import read_bundles
from stream.settings import Settings

PAUSES = int(os.environ.get("RISKSTREAM_FAULT_PAUSES") or 2)
SECONDS_A_PAUSE = 16.0


def test_a_worker_that_wakes_after_its_partitions_were_taken_publishes_nothing(
    fault_settings: Settings, fault_stream: FaultStream, chance: random.Random, crew: Crew
) -> None:
    """Paused past the session timeout and resumed, a worker writes no record, not even one equal to its heir's."""
    bundles = read_bundles(fault_settings)
    sending = fault_stream.sending(fault_settings, 10.0 + PAUSES * SECONDS_A_PAUSE)
    workers = [crew.start(fault_settings), crew.start(fault_settings)]
    for _ in range(PAUSES):
        for worker in workers:
            worker.wait_until(lambda: all(one.metric_count("riskstream_state_rows") > 0 for one in workers))
        zombie = chance.choice(workers)
        time.sleep(chance.uniform(0.0, 1.0))
        zombie.pause()
        time.sleep(fault_settings.session_timeout_seconds + chance.uniform(2.0, 4.0))
        zombie.resume()
    sending.join()
    until_worked_off(workers)
    for worker in workers:
        worker.stop()
    refused = crew.log.read_text().count('"partition_lost"')
    print(f"{refused} partitions were lost while their worker slept, and the broker refused what it wrote then")
    assert_equal(outcome(fault_settings, bundles), truth(fault_settings, bundles, in_recorded_order=True))
    assert refused > 0
