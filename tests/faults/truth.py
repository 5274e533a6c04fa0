"""What should have come of a stream: the same folds over what lies in the topics, in one batch, without a fault."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType

from live import Published, published

from risk.chunk import Chunk
from risk.fold import Fold, Output, Stream
from schemas.source import Source
from stream.app import job_specs
from stream.bundles import Bundles
from stream.changelog import Restored, last_checkpoint
from stream.job_spec import JobSpec
from stream.settings import Settings

FIRST_HOPS = {
    "customers": "transactions",
    "labels": "labels",
    "ticks": "ticks",
    "rates": "rates",
    "positions": "positions",
}
SECOND_HOPS: dict[str, tuple[str, Stream]] = {
    "merchants": ("merchant-events", "merchant_events"),
    "portfolios": ("market-events", "market_events"),
}
OUTPUTS = {
    "alerts": "alerts",
    "scores": "scores",
    "volatility": "volatility",
    "forecasts": "forecasts",
    "curves": "curves",
    "portfolio_risk": "portfolio-risk",
    "dead_letters": "deadletter",
}
Values = Counter[tuple[int, bytes]]
"""How often each record occurs: its partition and its bytes."""
Rows = dict[tuple[str, int], dict[bytes, bytes]]
"""The rows of each job's partition."""


@dataclass
class Result:
    """What came, or should have come, of a stream: outputs by stream, and the state."""

    outputs: dict[str, Values] = field(default_factory=lambda: {stream: Counter() for stream in OUTPUTS})
    rows: Rows = field(default_factory=dict)


def truth(
    settings: Settings,
    bundles: Bundles,
    *,
    in_recorded_order: bool,
    put_aside: Mapping[str, Set[Source]] = MappingProxyType({}),
) -> Result:
    """Return what the input topics should have led to; `put_aside` are messages that each job should leave out.

    What the second hops read comes from the first hops of this computation, all in one batch. `in_recorded_order` takes
    instead what the workers wrote, in the order in which it lies in the log: a live stream has no other.
    """
    result = Result()
    specs = {spec.name: spec for spec in job_specs(settings, bundles)}
    hops: list[Output] = []
    for name in FIRST_HOPS.keys() & specs.keys():
        for partition, records in by_partition(settings, FIRST_HOPS[name]).items():
            hops += _advance(result, specs[name], partition, records, put_aside.get(name, set()))
    for name in SECOND_HOPS.keys() & specs.keys():
        topic, stream = SECOND_HOPS[name]
        if in_recorded_order:
            events = by_partition(settings, topic)
        else:
            events = {partition: [] for partition in range(settings.partitions)}
            for output in hops:
                if output.stream == stream:
                    waiting = events[output.partition]
                    waiting.append(Published(output.partition, len(waiting), output.key, output.value))
        for partition, records in events.items():
            _advance(result, specs[name], partition, records, put_aside.get(name, set()))
    return result


def _advance(
    result: Result, spec: JobSpec, partition: int, records: list[Published], put_aside: Set[Source]
) -> list[Output]:
    """Take all records up in one batch; note outputs and rows, and return what goes to the second hop."""
    fold: Fold = spec.new_fold(partition)
    chunk = Chunk.of(
        topic=spec.source_topic,
        partition=partition,
        offsets=tuple(record.offset for record in records),
        keys=tuple(record.key for record in records),
        values=tuple(record.value for record in records),
        caught_up=True,
        timestamps_ms=tuple(record.timestamp_ms for record in records),
    )
    emitted = fold.advance(spec.parts.without(chunk, put_aside))
    for output in emitted.outputs:
        if output.stream in OUTPUTS:
            result.outputs[output.stream][output.partition, output.value] += 1
    result.rows[spec.name, partition] = dict(fold.take_changed())
    return [output for output in emitted.outputs if output.stream in ("merchant_events", "market_events")]


def outcome(settings: Settings, bundles: Bundles) -> Result:
    """Return what lies in the output topics and in the changelogs."""
    result = Result()
    for stream, name in OUTPUTS.items():
        result.outputs[stream] = Counter((record.partition, record.value) for record in published(settings, name))

    result.rows = {at: dict(restored.rows) for at, restored in durable_states(settings, bundles).items()}
    return result


def durable_states(settings: Settings, bundles: Bundles) -> dict[tuple[str, int], Restored]:
    """Return what a restart would restore of each job's partition."""

    async def restore() -> dict[tuple[str, int], Restored]:
        return {
            (spec.name, partition): await last_checkpoint(
                settings.broker,
                spec.changelog_topic,
                partition,
                spec.new_fold(partition).state_version,
                lambda count: None,
            )
            for spec in job_specs(settings, bundles)
            for partition in range(settings.partitions)
        }

    return asyncio.run(restore())


def by_partition(settings: Settings, name: str) -> dict[int, list[Published]]:
    """Return a topic's records by partition."""
    found: dict[int, list[Published]] = {partition: [] for partition in range(settings.partitions)}
    for record in published(settings, name):
        found[record.partition].append(record)
    return found


def assert_equal(came: Result, due: Result) -> None:
    """Hold what came against what was due: nothing lost, nothing doubled, no byte and no row otherwise."""
    for stream in OUTPUTS:
        missing = due.outputs[stream] - came.outputs[stream]
        surplus = came.outputs[stream] - due.outputs[stream]
        assert (missing.total(), surplus.total()) == (0, 0), (
            f"{stream}: {missing.total()} missing, such as {next(iter(missing), None)};"
            f" {surplus.total()} too many, such as {next(iter(surplus), None)}"
        )
    for at, rows in due.rows.items():
        differ = [key for key in rows.keys() | came.rows[at].keys() if rows.get(key) != came.rows[at].get(key)]
        assert not differ, f"{at}: {len(differ)} of {len(rows)} rows differ, such as {differ[0]!r}"
