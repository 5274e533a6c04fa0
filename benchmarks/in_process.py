"""The folds without Kafka: jobs that take batches one after another, and what an event costs them.

Each round makes every job anew, lets it fill on some batches, and counts the CPU seconds of the next ones. The
reference loop takes part in every round, so that a ratio compares what the same minute gave to both.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path

from benchmarks.reference_loop import ReferenceLoop, alert_threshold
from benchmarks.velocity_fold import VelocityFold
from benchmarks.velocity_job import network, transactions
from history_messages import transaction_messages
from risk.bundle import Bundle
from risk.chunk import Chunk
from risk.customer_fold import CustomerFold
from risk.fold import Emitted
from risk.label_fold import LabelFold
from risk.merchant_fold import MerchantFold
from risk.scorer import Scorer
from stream.bundle_files import read_bundle
from training.simulator import simulate_transactions

BUNDLE = Path(__file__).parents[1] / "bundles" / "demo"
BATCH_EVENTS = 1_000
"""The size of a batch where no other is asked for."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The same records twice: as the transport hands them over, and as a consumer's list of values."""

    chunk: Chunk
    values: list[bytes]

    def __len__(self) -> int:
        return len(self.values)


Work = Callable[[Batch], object]
"""Takes the next batch."""


@dataclass(frozen=True, slots=True)
class Job:
    """`new` makes it with an empty state; `prepared` turns batches of transactions into those that it takes."""

    name: str
    new: Callable[[], Work]
    prepared: Callable[[Sequence[Batch]], Sequence[Batch]] = lambda batches: batches


class Pipeline:
    """Both hops over one partition, the labels of which say that there are none."""

    def __init__(self) -> None:
        self._labels_read = False
        self._blocks_sent = 0
        self.customers = CustomerFold(0, partitions=1, currency="EUR")
        self.merchants = MerchantFold(
            0, partitions=1, bundle=demo_bundle(), transactions_topic="transactions", publish_scores=False
        )

    def first_hop(self, chunk: Chunk) -> Chunk:
        """Return what a chunk of transactions sends to the second hop."""
        outputs = list(self.customers.advance(chunk).outputs)
        if not self._labels_read:
            # Without it the second hop would wait for labels.
            self._labels_read = True
            none = Chunk.of("labels", 0, (), (), (), caught_up=True)
            outputs = LabelFold(0, partitions=1).advance(none).outputs + outputs
        values = [output.value for output in outputs if output.stream == "merchant_events"]
        offsets = range(self._blocks_sent, self._blocks_sent + len(values))
        self._blocks_sent += len(values)
        return Chunk.of("merchant-events", 0, offsets, [None] * len(values), values, caught_up=True)

    def advance(self, chunk: Chunk) -> Emitted:
        """Score a chunk of transactions."""
        return self.merchants.advance(self.first_hop(chunk))


@cache
def demo_bundle() -> Bundle:
    """Return the bundle that the demonstration scores with."""
    return read_bundle(BUNDLE)


def _reference() -> Work:
    loop = ReferenceLoop(network())
    return lambda batch: loop.advance(batch.values)


def _velocity() -> Work:
    fold = VelocityFold(0, Scorer(network()), _threshold())
    return lambda batch: fold.advance(batch.chunk)


@cache
def _threshold() -> float:
    return alert_threshold(0.01)


def _customers() -> Work:
    fold = CustomerFold(0, partitions=1, currency="EUR")
    return lambda batch: fold.advance(batch.chunk)


def _merchants() -> Work:
    pipeline = Pipeline()
    return lambda batch: pipeline.merchants.advance(batch.chunk)


def _blocks(batches: Sequence[Batch]) -> list[Batch]:
    pipeline = Pipeline()
    return [Batch(pipeline.first_hop(batch.chunk), batch.values) for batch in batches]


def _pipeline() -> Work:
    pipeline = Pipeline()
    return lambda batch: pipeline.advance(batch.chunk)


REFERENCE = Job("reference loop", _reference)
VELOCITY = Job("velocity", _velocity)
CUSTOMERS = Job("customers", _customers)
MERCHANTS = Job("merchants", _merchants, _blocks)
PIPELINE = Job("full pipeline", _pipeline)


def batches_of(messages: Sequence[tuple[str, bytes]], size: int, first_offset: int = 0) -> list[Batch]:
    """Return messages in batches of a size, their offsets from `first_offset` on."""
    batches = []
    for first in range(0, len(messages), size):
        part = messages[first : first + size]
        keys, values = [key.encode() for key, _ in part], [value for _, value in part]
        offsets = range(first_offset + first, first_offset + first + len(part))
        batches.append(Batch(Chunk.of("transactions", 0, offsets, keys, values, caught_up=True), values))
    return batches


@cache
def simulated_payments(count: int) -> list[tuple[str, bytes]]:
    """Return `count` messages of simulated customers, some of whose cards are stolen, in order of time.

    They pay three times in two days, as the stream does that `benchmarks.pipeline` sends through Kafka.
    """
    days = 60
    customers = count // (days * 3 // 2) * 3 // 2
    history = simulate_transactions(customers=customers, merchants=300, days=days, seed=1)
    messages = list(islice(transaction_messages(history, "EUR"), count))
    assert len(messages) == count, "the simulator gave too few"
    return messages


def microseconds_per_event(work: Work, filling: Sequence[Batch], measured: Sequence[Batch]) -> float:
    """Return the CPU microseconds an event of some batches costs, once others have filled the state."""
    for batch in filling:
        work(batch)
    began = time.process_time_ns()
    for batch in measured:
        work(batch)
    return (time.process_time_ns() - began) / 1_000 / sum(map(len, measured))


def interleaved_costs(
    jobs: Sequence[Job], filling: Sequence[Batch], measured: Sequence[Batch], rounds: int
) -> dict[str, list[float]]:
    """Return the CPU microseconds an event costs each job, round by round, all in turn in each round."""
    costs: dict[str, list[float]] = {job.name: [] for job in jobs}
    prepared = {job.name: job.prepared([*filling, *measured]) for job in jobs}
    for _ in range(rounds):
        for job in jobs:
            batches = prepared[job.name]
            costs[job.name].append(microseconds_per_event(job.new(), batches[: len(filling)], batches[len(filling) :]))
    return costs


def reference_microseconds(events: int = 20_000) -> float:
    """Return what an event costs the reference loop at this minute, without Kafka: how fast the machine is now."""
    batches = batches_of(list(transactions(events, seed=1)), BATCH_EVENTS)
    half = len(batches) // 2
    return min(microseconds_per_event(REFERENCE.new(), batches[:half], batches[half:]) for _ in range(3))
