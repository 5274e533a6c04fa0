"""What an event costs when half of all are one customer's at one merchant, without Kafka.

Its ring of recent payments fills up, and the windows of the profiles go over it; it is bounded, and so is the cost.
A hot key does take a partition, and so a core, for itself; more than that no number of workers gives it.
"""

from benchmarks.effort import Effort
from benchmarks.figure import Figure, ratios
from benchmarks.in_process import (
    BATCH_EVENTS,
    CUSTOMERS,
    MERCHANTS,
    PIPELINE,
    REFERENCE,
    VELOCITY,
    batches_of,
    interleaved_costs,
)
from benchmarks.velocity_job import transactions

HOT_FRACTION = 0.5
JOBS = (REFERENCE, VELOCITY, CUSTOMERS, MERCHANTS, PIPELINE)


def figures(effort: Effort) -> list[Figure]:
    """Return microseconds an event with and without a hot key, and the ratio of both."""
    events = 10_000 if effort.quick else 40_000
    costs = {hot: measure(hot, events, effort.rounds) for hot in (0.0, HOT_FRACTION)}
    found = []
    for job in JOBS:
        usual, hot = costs[0.0][job.name], costs[HOT_FRACTION][job.name]
        found += [
            Figure("hot key", f"{job.name}, all alike", "CPU", "us/event", tuple(usual)),
            Figure("hot key", f"{job.name}, half on one key", "CPU", "us/event", tuple(hot)),
            Figure("hot key", f"{job.name}, half on one key", "ratio to all alike", "x", ratios(hot, usual)),
        ]
        if job is not REFERENCE:
            ratio = ratios(hot, costs[HOT_FRACTION][REFERENCE.name])
            found.append(Figure("hot key", f"{job.name}, half on one key", "ratio to the reference loop", "x", ratio))
    return found


def measure(hot_fraction: float, events: int, rounds: int) -> dict[str, list[float]]:
    """Return what an event costs each job, round by round, over the second half of so many events."""
    batches = batches_of(list(transactions(events, seed=1, hot_fraction=hot_fraction)), BATCH_EVENTS)
    half = len(batches) // 2
    return interleaved_costs(JOBS, batches[:half], batches[half:], rounds)
