"""What an event costs with more workers: `python -m benchmarks.scale`.

Starts 1, 2 and 4 workers on the partitions of a real Apache Kafka, waits until each holds its share, puts them to sleep
while transactions and labels are sent, and wakes them: so all have the same backlog before them, and what differs is
not the size of the batches in which a stream comes. Counts the CPU seconds of all workers together until nothing is
left to read or to publish; start-up, the sender and the broker are not in it. What workers spend by the second whether
or not anything comes, on fetches, heartbeats and looks at their metrics, is measured before and shown apart. Rounds are
interleaved. Prints JSON: CPU microseconds a transaction through both hops, without that and with it (median, least and
greatest), the ratio to one worker's, and the most resident memory of a worker.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kafka"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from crew import crew_at
from fault_stream import FaultStream
from live import Worker, make_topics
from rich.console import Console

from apache_kafka import apache_kafka
from benchmarks.processes import cpu_seconds, memory_bytes
from stream.settings import Settings

ROOT = Path(__file__).parents[1]
JOBS = 3
note = Console(stderr=True).print


def main() -> None:
    """Run the benchmark and print its figures as JSON."""
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--transactions", type=int, default=500_000)
    parse.add_argument("--workers", default="1,2,4", help="numbers of workers, with commas")
    parse.add_argument("--partitions", type=int, default=8)
    parse.add_argument("--rounds", type=int, default=3)
    chosen = parse.parse_args()
    numbers = [int(one) for one in chosen.workers.split(",")]
    stream = FaultStream(chosen.transactions, seed=1)
    stream.ticks, stream.rates, stream.positions = [], [], []
    found: dict[int, list[dict[str, float]]] = {number: [] for number in numbers}
    for at in range(chosen.rounds):
        for number in numbers:
            found[number].append(measure(stream, number, chosen.partitions))
            note(f"round {at + 1}, {number} worker(s): {found[number][-1]}")
    figures: dict[str, object] = {
        "transactions": len(stream.transactions),
        "partitions": chosen.partitions,
        "rounds": chosen.rounds,
    }
    for number, rounds in found.items():
        costs = [one["cpu_microseconds_per_transaction"] for one in rounds]
        ratios = [
            one["cpu_microseconds_per_transaction"] / first["cpu_microseconds_per_transaction"]
            for one, first in zip(rounds, found[numbers[0]], strict=True)
        ]
        figures[f"{number} worker(s)"] = {
            "cpu_microseconds_per_transaction": spread(costs),
            f"ratio_to_{numbers[0]}": spread(ratios),
            "gross_cpu_microseconds_per_transaction": spread(
                [one["gross_cpu_microseconds_per_transaction"] for one in rounds]
            ),
            "idle_cpu_percent_each": spread([one["idle_cpu_percent_each"] for one in rounds]),
            "idle_memory_mebibytes": spread([one["idle_memory_mebibytes"] for one in rounds]),
            "peak_memory_mebibytes": spread([one["peak_memory_mebibytes"] for one in rounds]),
        }
    print(json.dumps(figures, indent=2))


def spread(values: list[float]) -> dict[str, float]:
    """Return the median, the least and the greatest."""
    return {
        "median": round(statistics.median(values), 2),
        "least": round(min(values), 2),
        "greatest": round(max(values), 2),
    }


def measure(stream: FaultStream, number: int, partitions: int) -> dict[str, float]:
    """Run so many workers over the stream, on a broker of their own."""
    with tempfile.TemporaryDirectory(prefix="scale-") as directory, apache_kafka(Path(directory)) as broker:
        settings = Settings(
            broker=broker.bootstrap,
            application_id=f"scale-{uuid4().hex[:8]}",
            bundle=ROOT / "bundles" / "demo",
            partitions=partitions,
            session_timeout_seconds=120.0,
        )
        make_topics(settings)
        with crew_at(Path(directory) / "worker.log") as crew:
            workers = [crew.start(settings) for _ in range(number)]
            wait_for(workers, lambda one: one.ready() and held(one) == JOBS * partitions // number)
            idle, idle_since = spent_by(workers), time.perf_counter()
            for _ in range(3):
                wait_for(workers, worked_off)
            before = spent_by(workers)
            idle_rate = (before - idle) / (time.perf_counter() - idle_since)
            idle_memory = max(peak_memory_mebibytes(one) for one in workers)
            for one in workers:
                one.pause()
            stream.send(settings)
            for one in workers:
                one.resume()
            began = time.perf_counter()
            wait_for(workers, worked_off)
            gross = spent_by(workers) - before
            net = gross - idle_rate * (time.perf_counter() - began)
            peak = max(peak_memory_mebibytes(one) for one in workers)
    return {
        "cpu_microseconds_per_transaction": 1e6 * net / len(stream.transactions),
        "gross_cpu_microseconds_per_transaction": 1e6 * gross / len(stream.transactions),
        "idle_cpu_percent_each": 100 * idle_rate / number,
        "idle_memory_mebibytes": idle_memory,
        "peak_memory_mebibytes": peak,
    }


def spent_by(workers: Sequence[Worker]) -> float:
    """Return the CPU seconds that workers have spent so far."""
    return sum(cpu_seconds(one.process.pid) for one in workers)


def peak_memory_mebibytes(worker: Worker) -> float:
    """Return the most resident memory that a worker had."""
    return memory_bytes(worker.process.pid, "VmHWM") / 2**20


def held(worker: Worker) -> int:
    """Return how many partitions of all jobs a worker holds."""
    return worker.metric_count("riskstream_state_rows")


def worked_off(worker: Worker) -> bool:
    """Tell whether a worker has read all and published all."""
    return worker.metric("riskstream_consumer_lag_records") == 0 and worker.metric("riskstream_outbox_records") == 0


def wait_for(workers: Sequence[Worker], holds: Callable[[Worker], bool]) -> None:
    """Wait until something held for all twice, a second apart: the lag is told every second, and a look costs CPU."""
    times = 0
    while times < 2:
        time.sleep(1.1)
        for one in workers:
            assert one.process.poll() is None, one.log.read_text()[-5000:]
        times = times + 1 if all(map(holds, workers)) else 0


if __name__ == "__main__":
    main()
