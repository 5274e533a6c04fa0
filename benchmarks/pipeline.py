"""What a transaction costs through both hops of a real worker: labels, reasons, checkpoints and all, on Apache Kafka.

One worker with the demonstration's bundle works off a backlog, as `benchmarks.scale` makes it. The reference loop runs
before each round, without Kafka, to tell how fast the machine is at that minute.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from fault_stream import FaultStream

from benchmarks.effort import Effort
from benchmarks.figure import Figure, Target, ratios
from benchmarks.in_process import reference_microseconds
from benchmarks.scale import measure

PARTITIONS = 8
TARGET = Target("at most", 10.0)


def figures(effort: Effort) -> list[Figure]:
    """Return CPU a transaction, what of it an idle worker would spend, and the most resident memory."""
    stream = FaultStream(100_000 if effort.quick else 300_000, seed=1)
    stream.ticks, stream.rates, stream.positions = [], [], []
    references, rounds = [], []
    for _ in range(effort.rounds):
        references.append(reference_microseconds())
        rounds.append(measure(stream, 1, PARTITIONS))
    costs = tuple(one["cpu_microseconds_per_transaction"] for one in rounds)
    gross = tuple(one["gross_cpu_microseconds_per_transaction"] for one in rounds)
    peaks = tuple(one["peak_memory_mebibytes"] for one in rounds)
    return [
        Figure("full pipeline", "one worker", "CPU", "us/event", costs, TARGET),
        Figure("full pipeline", "one worker", "CPU, idle cost within", "us/event", gross),
        Figure("full pipeline", "one worker", "ratio to the reference loop", "x", ratios(costs, references)),
        Figure("full pipeline", "one worker", "scored, one core", "events/s", tuple(1e6 / cost for cost in costs)),
        Figure("full pipeline", "one worker", "most resident memory", "MiB", peaks),
    ]
