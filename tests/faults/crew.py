"""Workers of one group, and what a test does to them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from live import Worker, start_worker

from stream.app import job_specs
from stream.broker_process import free_port
from stream.bundles import read_bundles
from stream.settings import Settings


@dataclass
class Crew:
    """Workers that write one log."""

    log: Path
    _started: list[Worker] = field(default_factory=list)

    def start(self, settings: Settings, program: tuple[str, ...] = ("-m", "riskstream", "run")) -> Worker:
        """Start a worker, its pages on a port of its own."""
        worker = start_worker(settings.model_copy(update={"web_port": free_port()}), self.log, program)
        self._started.append(worker)
        return worker

    def times_ready(self) -> int:
        """Return how often a worker has told that a partition was ready."""
        return self.log.read_text().count('"partition_ready"') if self.log.exists() else 0

    def kill_all(self) -> None:
        """Kill whoever still runs."""
        for worker in self._started:
            worker.kill()


@contextmanager
def crew_at(log: Path) -> Iterator[Crew]:
    """Give a crew while the block lasts; nobody runs after it."""
    crew = Crew(log)
    try:
        yield crew
    finally:
        crew.kill_all()


def until_working(worker: Worker) -> None:
    """Wait until a worker has taken records up."""
    worker.wait_until(lambda: worker.metric("riskstream_records_consumed_total") > 0)


def until_worked_off(workers: Sequence[Worker]) -> None:
    """Wait until the workers together hold every partition and nothing is left to read or to publish."""
    settings = workers[0].settings
    held = len(job_specs(settings, read_bundles(settings))) * settings.partitions
    calm_since = time.monotonic()

    def calm() -> bool:
        # The lag is told every second: what the first hop has just written may not be in it.
        nonlocal calm_since
        if not _idle(workers, held):
            calm_since = time.monotonic()
        return time.monotonic() - calm_since > 3.0

    workers[0].wait_until(calm)


def _idle(workers: Sequence[Worker], held: int) -> bool:
    return held == sum(worker.metric_count("riskstream_state_rows") for worker in workers) and all(
        worker.metric("riskstream_consumer_lag_records") == 0 and worker.metric("riskstream_outbox_records") == 0
        for worker in workers
    )
