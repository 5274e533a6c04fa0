"""What each stage costs an event, in batches of 1,000, without Kafka.

The folds run as they are; `benchmarks.stage_clock` times their functions. Reading records from the bytes of a fetch,
encoding the alerts for the broker and copying the changed rows for a checkpoint stand beside the folds, and are timed
alike.
"""

from collections.abc import Callable, Mapping

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from benchmarks.effort import Effort
from benchmarks.figure import Figure, ratios
from benchmarks.in_process import (
    BATCH_EVENTS,
    Batch,
    Pipeline,
    batches_of,
    reference_microseconds,
    simulated_payments,
)
from benchmarks.stage_clock import StageClock, clocked
from benchmarks.velocity_fold import VelocityFold
from benchmarks.velocity_job import network
from risk.chunk import Chunk
from risk.fold import Emitted, Output
from risk.scorer import Scorer
from stream.record_batches import read_record_batches

VELOCITY_STAGES = {
    "benchmarks.velocity_fold:decode_transactions": "decode",
    "risk.keyed_rows:KeyedRows.rows": "key lookup",
    "risk.decayed_moments:DecayedMoments.advance": "profile",
    "benchmarks.velocity_fold:assemble": "assemble",
    "risk.row_model:RowModel.run": "ONNX",
}
PIPELINE_STAGES = {
    "risk.customer_fold:decode_transactions": "decode",
    "risk.keyed_rows:KeyedRows.rows": "key lookup",
    "risk.customer_profile:CustomerProfile.advance": "customer profile",
    "risk.merchant_routing:MerchantRouting.outputs": "blocks out",
    "risk.merchant_fold:decode_blocks": "blocks in",
    "risk.event_merge:EventMerge.add": "merge",
    "risk.merchant_profile:MerchantProfile.advance": "merchant profile",
    "risk.normaliser:Normaliser.advance": "normalise",
    "risk.scorer:Scorer.score": "ONNX",
    "risk.drift_bins:DriftBins.count": "drift bins",
    "risk.bundle:Bundle.explain": "explain",
    "risk.merchant_fold:MerchantFold._alerts": "alerts",
}
"""The place of each stage's function, and the stage."""

REST = "the rest"


def figures(effort: Effort) -> list[Figure]:
    """Return microseconds an event by stage, and the whole beside the reference loop."""
    events = 20_000 if effort.quick else 60_000
    batches = batches_of(simulated_payments(events), BATCH_EVENTS)
    found: list[Figure] = []
    for name, measure in (("velocity", velocity_stages), ("full pipeline", pipeline_stages)):
        rounds: list[dict[str, float]] = []
        references: list[float] = []
        for _ in range(effort.rounds):
            references.append(reference_microseconds())
            rounds.append(measure(batches))
        for stage in rounds[0]:
            values = tuple(one[stage] for one in rounds)
            found.append(Figure("stages", f"{name}: {stage}", "CPU", "us/event", values))
        sums = [sum(one.values()) for one in rounds]
        found.append(Figure("stages", f"{name}: sum", "CPU", "us/event", tuple(sums)))
        found.append(Figure("stages", f"{name}: sum", "ratio to the reference loop", "x", ratios(sums, references)))
    return found


def velocity_stages(batches: list[Batch]) -> dict[str, float]:
    """Return the stages of velocity-v1, microseconds an event, over the second half of the batches."""
    fold = VelocityFold(0, Scorer(network()), threshold=0.99)
    return _staged(batches, VELOCITY_STAGES, fold.advance, fold.take_changed)


def pipeline_stages(batches: list[Batch]) -> dict[str, float]:
    """Return the stages of both hops, microseconds a transaction, over the second half of the batches."""
    pipeline = Pipeline()

    def take_changed() -> None:
        pipeline.customers.take_changed()
        pipeline.merchants.take_changed()

    return _staged(batches, PIPELINE_STAGES, pipeline.advance, take_changed)


def _staged(
    batches: list[Batch],
    stages: Mapping[str, str],
    advance: Callable[[Chunk], Emitted],
    take_changed: Callable[[], object],
) -> dict[str, float]:
    half = len(batches) // 2
    for batch in batches[:half]:
        advance(batch.chunk)
    take_changed()
    fetched = [_fetched(batch) for batch in batches[half:]]
    with clocked(stages) as clock:
        whole = clock.wrapped(REST, advance)
        parse, encode = clock.wrapped("parse records", _parsed), clock.wrapped("encode alerts", _encoded)
        copy = clock.wrapped("checkpoint copy", take_changed)
        for batch, data in zip(batches[half:], fetched, strict=True):
            parse(data)
            encode(whole(batch.chunk).outputs)
            copy()
    return _microseconds(clock, sum(map(len, batches[half:])))


def _microseconds(clock: StageClock, events: int) -> dict[str, float]:
    order = ["parse records", *(stage for stage in clock.spent_ns if stage not in _BESIDE), *_BESIDE[1:]]
    return {stage: clock.spent_ns[stage] / 1_000 / events for stage in order}


_BESIDE = ("parse records", "encode alerts", "checkpoint copy")


def _fetched(batch: Batch) -> bytes:
    """Return a batch as a fetch brings it."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 30)
    for at, (key, value) in enumerate(zip(batch.chunk.keys, batch.values, strict=True)):
        builder.append(at, 1_760_000_000_000, key, value, [])
    return bytes(builder.build())


def _parsed(data: bytes) -> Chunk:
    """Return the chunk of a fetch, as the transport makes it."""
    part = read_record_batches(data, 0)
    assert part is not None
    return part.chunk("transactions", 0, caught_up=True)


def _encoded(outputs: list[Output]) -> bytes:
    """Return outputs as the bytes of one request, as the outbox appends them."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 30)
    for at, output in enumerate(outputs):
        builder.append(at, 1_760_000_000_000, output.key, output.value, [("identity", output.identity)])
    return bytes(builder.build())
