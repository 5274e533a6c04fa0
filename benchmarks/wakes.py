"""What a small batch costs right after another and after a pause, without Kafka: the machine's share of a light stream.

A processor that has slept has lost its caches to its neighbours, and begins slowly. The same call on as many events
then takes several times as long, whoever makes it: so each job is measured beside the reference loop.
"""

import time
from collections.abc import Sequence

from benchmarks.effort import Effort
from benchmarks.figure import Figure
from benchmarks.in_process import REFERENCE, VELOCITY, Batch, Job, batches_of, simulated_payments

EVENTS = 5
PAUSES_MS = (0, 1, 10)
FILLING_EVENTS, BATCHES = 10_000, 300


def figures(effort: Effort) -> list[Figure]:
    """Return microseconds a batch of five events by job and pause."""
    messages = simulated_payments(FILLING_EVENTS + EVENTS * BATCHES)
    filling = batches_of(messages[:FILLING_EVENTS], 1_000)
    measured = batches_of(messages[FILLING_EVENTS:], EVENTS, first_offset=FILLING_EVENTS)
    found = []
    for job in (REFERENCE, VELOCITY):
        rounds = [measure(job, filling, measured) for _ in range(effort.rounds)]
        for pause_ms in PAUSES_MS:
            values = tuple(one[pause_ms] for one in rounds)
            found.append(Figure("wakes", f"{job.name}, {pause_ms} ms apart", "CPU", "us/batch", values))
    return found


def measure(job: Job, filling: Sequence[Batch], measured: Sequence[Batch]) -> dict[int, float]:
    """Return the CPU microseconds of a batch by the pause before it, in milliseconds."""
    prepared = job.prepared([*filling, *measured])
    advance = job.new()
    for batch in prepared[: len(filling)]:
        advance(batch)
    batches = prepared[len(filling) :]
    share = len(batches) // len(PAUSES_MS)
    found = {}
    for at, pause_ms in enumerate(PAUSES_MS):
        spent_ns = 0
        for batch in batches[at * share : (at + 1) * share]:
            if pause_ms:
                time.sleep(pause_ms / 1000.0)
            began_ns = time.thread_time_ns()
            advance(batch)
            spent_ns += time.thread_time_ns() - began_ns
        found[pause_ms] = spent_ns / 1000.0 / share
    return found
