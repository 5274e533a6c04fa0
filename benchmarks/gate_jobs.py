"""The work that the gate counts: the same every time, without Kafka, clock or chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.in_process import (
    BATCH_EVENTS,
    CUSTOMERS,
    MERCHANTS,
    VELOCITY,
    Batch,
    Job,
    Work,
    batches_of,
    simulated_payments,
)
from risk.decode import decode_transactions

FILLING_EVENTS, COUNTED_EVENTS = 2_000, 5_000


@dataclass(frozen=True, slots=True)
class GateJob:
    """Work on COUNTED_EVENTS; `prepared` does what is not counted, the first use of everything too, and returns it."""

    name: str
    prepared: Callable[[], Callable[[], None]]


_FILLING_BATCHES = FILLING_EVENTS // BATCH_EVENTS


def _batches() -> list[Batch]:
    return batches_of(simulated_payments(FILLING_EVENTS + COUNTED_EVENTS), BATCH_EVENTS)


def _decode() -> Callable[[], None]:
    def decode(batches: Sequence[Batch]) -> None:
        for batch in batches:
            decode_transactions(batch.chunk.keys, batch.chunk.values, "EUR")

    batches = _batches()
    decode(batches[:_FILLING_BATCHES])
    return lambda: decode(batches[_FILLING_BATCHES:])


def take_all(advance: Work, batches: Sequence[Batch]) -> None:
    """Give a job batch after batch."""
    for batch in batches:
        advance(batch)


def _fold(job: Job) -> Callable[[], Callable[[], None]]:
    def prepared() -> Callable[[], None]:
        batches = job.prepared(_batches())
        advance = job.new()
        take_all(advance, batches[:_FILLING_BATCHES])
        return lambda: take_all(advance, batches[_FILLING_BATCHES:])

    return prepared


GATE_JOBS = (
    GateJob("decode", _decode),
    GateJob("velocity", _fold(VELOCITY)),
    GateJob("customers", _fold(CUSTOMERS)),
    GateJob("merchants", _fold(MERCHANTS)),
)
