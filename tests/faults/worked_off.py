"""When a stream is worked off: everything restored, read, published and durable."""

import time
from collections.abc import Sequence

from live import Worker

JOBS = 4


def until_worked_off(workers: Sequence[Worker]) -> None:
    """Wait until the workers together hold every partition and nothing is left to read or to publish."""
    first = workers[0]
    for _ in range(2):
        first.wait_until(lambda: _idle(workers))
        # The lag is told every second: what the first hop wrote since may not be in it.
        time.sleep(2.5)
    first.wait_until(lambda: _idle(workers))


def _idle(workers: Sequence[Worker]) -> bool:
    held = sum(worker.metric_count("riskstream_state_rows") for worker in workers)
    return held == JOBS * workers[0].settings.partitions and all(
        worker.metric("riskstream_consumer_lag_records") == 0 and worker.metric("riskstream_outbox_records") == 0
        for worker in workers
    )
