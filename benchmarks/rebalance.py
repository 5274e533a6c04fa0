"""How long scoring pauses when workers come and go: `python -m benchmarks.rebalance`.

Streams transactions at 1,000 a second through workers on a real Apache Kafka. A second worker joins, leaves by SIGTERM,
joins again and is killed. After each of these it looks for the longest time without a score in each partition that the
first worker held throughout, and in each that changed hands. Prints JSON: the longest pause of any partition, in
seconds, of each kind, and the usual one, when nobody comes or goes.
"""

import asyncio
import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

from aiokafka import TopicPartition as KafkaPartition

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kafka"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from crew import crew_at
from fault_stream import FaultStream
from live import Worker, make_topics

from apache_kafka import apache_kafka
from stream.log_span import read_log
from stream.settings import Settings

ROOT = Path(__file__).parents[1]
CALM_SECONDS = 12.0
RATE_PER_SECOND = 1_000


def main() -> None:
    """Run the benchmark and print its figures as JSON."""
    with tempfile.TemporaryDirectory(prefix="rebalance-") as directory, apache_kafka(Path(directory)) as broker:
        settings = Settings(
            broker=broker.bootstrap, bundle=ROOT / "bundles" / "demo", publish_scores=True, session_timeout_seconds=6.0
        )
        make_topics(settings)
        stream = FaultStream(7 * int(CALM_SECONDS) * RATE_PER_SECOND, seed=1)
        with crew_at(Path(directory) / "worker.log") as crew:
            staying = crew.start(settings)
            staying.wait_until(staying.ready)
            sending = stream.sending(settings, len(stream.transactions) / RATE_PER_SECOND)
            time.sleep(CALM_SECONDS)
            at, held = {"nobody": time.time()}, {}
            time.sleep(CALM_SECONDS)
            for leave in ("leaves", "is killed"):
                before = partitions_of(staying)
                other = crew.start(settings)
                while not partitions_of(other):
                    time.sleep(0.1)
                # The pause was before this; the worker says so only when it has restored its partitions.
                at[f"joins, and later {leave}"] = time.time() - CALM_SECONDS / 2
                held[f"joins, and later {leave}"] = before & partitions_of(staying)
                time.sleep(CALM_SECONDS)
                at[leave], held[leave] = time.time(), partitions_of(staying)
                other.stop() if leave == "leaves" else other.kill()
                time.sleep(CALM_SECONDS)
            sending.join()
            time.sleep(3)
            staying.stop()
        scored = asyncio.run(score_times(settings))
    figures = {}
    for what, began in at.items():
        pauses = {partition: longest_pause(times, began, began + CALM_SECONDS) for partition, times in scored.items()}
        stayed = [pause for partition, pause in pauses.items() if partition in held.get(what, set(pauses))]
        moved = [pause for partition, pause in pauses.items() if partition not in held.get(what, set(pauses))]
        figures[what] = {
            "stayed_seconds": round(max(stayed, default=0.0), 2),
            "moved_seconds": round(max(moved, default=0.0), 2),
        }
    print(json.dumps(figures, indent=2))


def partitions_of(worker: Worker) -> set[int]:
    """Return the partitions of merchants that a worker holds."""
    return {
        partition
        for partition in range(worker.settings.partitions)
        if worker.metric("riskstream_state_rows", job="merchants", partition=str(partition)) > 0
    }


async def score_times(settings: Settings) -> dict[int, list[float]]:
    """Return when each partition's scores were produced, Unix time in seconds."""
    firsts = {KafkaPartition(settings.topic("scores"), at): 0 for at in range(settings.partitions)}
    times: dict[int, list[float]] = {at: [] for at in range(settings.partitions)}
    async for at, records in read_log(settings.broker, firsts):
        times[at.partition] += [record.timestamp / 1000 for record in records]
    return times


def longest_pause(times: list[float], first: float, end: float) -> float:
    """Return the longest time between two scores within a span, in seconds."""
    within = [one for one in times if first <= one <= end]
    return max((later - earlier for earlier, later in pairwise(within)), default=0.0)


if __name__ == "__main__":
    main()
