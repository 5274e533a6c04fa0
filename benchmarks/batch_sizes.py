"""What an event costs the folds in batches of 1 to 5,000, without Kafka, beside the reference loop."""

from benchmarks.effort import Effort
from benchmarks.figure import Figure, ratios
from benchmarks.in_process import (
    CUSTOMERS,
    MERCHANTS,
    PIPELINE,
    REFERENCE,
    VELOCITY,
    batches_of,
    interleaved_costs,
    simulated_payments,
)

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
JOBS = (REFERENCE, VELOCITY, CUSTOMERS, MERCHANTS, PIPELINE)
FILLING_EVENTS = 20_000
FEWEST_BATCHES, FEWEST_EVENTS = 400, 10_000


def figures(effort: Effort) -> list[Figure]:
    """Return microseconds an event by size and job, and as multiples of the reference loop at the same size."""
    found = []
    for size in SIZES[::3] if effort.quick else SIZES:
        measured = max(size, min(FEWEST_EVENTS, FEWEST_BATCHES * size))
        costs = measure(size, measured, effort.rounds)
        for name, values in costs.items():
            case = f"{name}, {size:,}"
            found.append(Figure("batch sizes", case, "CPU", "us/event", tuple(values)))
            if name != REFERENCE.name:
                ratio = ratios(values, costs[REFERENCE.name])
                found.append(Figure("batch sizes", case, "ratio to the reference loop", "x", ratio))
    return found


def measure(size: int, events: int, rounds: int, filling_events: int = FILLING_EVENTS) -> dict[str, list[float]]:
    """Return what an event costs each job in batches of a size, round by round, once profiles have filled."""
    messages = simulated_payments(filling_events + max(SIZES[-1], FEWEST_EVENTS))
    filling = batches_of(messages[:filling_events], max(size, 1_000))
    measured = batches_of(messages[filling_events : filling_events + events], size, first_offset=filling_events)
    return interleaved_costs(JOBS, filling, measured, rounds)
