"""What a worker's metrics say, and what happened between two readings of them."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from prometheus_client.parser import text_string_to_metric_families

_LATENCY = "riskstream_end_to_end_latency_seconds_bucket"


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """A reading: counters since the worker began, by job, and how many partitions it holds.

    `latency_buckets` counts, by job, the chunks that took up to so many seconds: cumulative, by upper bound.
    """

    taken_up: Mapping[str, float]
    scored: float
    alerted: float
    rejected: float
    partitions: int
    bundles: tuple[str, ...]
    latency_buckets: Mapping[str, Mapping[float, float]]


@dataclass(slots=True)
class Flow:
    """What happened in a while, of one worker or of several together; `seconds` is how long that was."""

    seconds: float
    taken_up: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    scored: float = 0.0
    alerted: float = 0.0
    latency_buckets: dict[str, dict[float, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )


class JobFlow(msgspec.Struct, frozen=True):
    """A job's records a second, and its latencies in milliseconds, None where nothing came."""

    job: str
    records_per_second: float
    p50_ms: float | None
    p99_ms: float | None


def figures_of(text: str) -> WorkerFigures:
    """Return what a page of metrics says; raises ValueError where it is none of a worker."""
    taken_up: dict[str, float] = defaultdict(float)
    latency_buckets: dict[str, dict[float, float]] = defaultdict(dict)
    events: dict[str, float] = defaultdict(float)
    rejected, partitions = 0.0, 0
    bundles = []
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            match sample.name:
                case "riskstream_records_consumed_total":
                    taken_up[sample.labels["job"]] += sample.value
                case "riskstream_events_total":
                    events[sample.labels["event"]] += sample.value
                case "riskstream_records_rejected_total":
                    rejected += sample.value
                case "riskstream_state_rows":
                    partitions += 1
                case "riskstream_bundle_info":
                    bundles.append(f"{sample.labels['name']} {sample.labels['version']}")
                case name if name == _LATENCY:
                    latency_buckets[sample.labels["job"]][float(sample.labels["le"])] = sample.value
    if not latency_buckets and not bundles:
        raise ValueError("no metrics of a worker")
    return WorkerFigures(
        taken_up, events["scored"], events["alerted"], rejected, partitions, tuple(bundles), latency_buckets
    )


def between(before: WorkerFigures, after: WorkerFigures, seconds: float) -> Flow:
    """Return what happened between two readings of a worker; one that began anew has counted from 0.

    >>> one = WorkerFigures({"ticks": 5.0}, 0.0, 0.0, 0.0, 1, (), {})
    >>> between(one, WorkerFigures({"ticks": 9.0}, 0.0, 0.0, 0.0, 1, (), {}), 2.0).taken_up["ticks"]
    4.0
    """
    # Counters of one process never fall.
    if any(after.taken_up.get(job, 0.0) < count for job, count in before.taken_up.items()):
        before = WorkerFigures({}, 0.0, 0.0, 0.0, 0, (), {})
    flow = Flow(seconds, scored=after.scored - before.scored, alerted=after.alerted - before.alerted)
    for job, count in after.taken_up.items():
        flow.taken_up[job] = count - before.taken_up.get(job, 0.0)
    for job, buckets in after.latency_buckets.items():
        earlier = before.latency_buckets.get(job, {})
        for upper, count in buckets.items():
            flow.latency_buckets[job][upper] = count - earlier.get(upper, 0.0)
    return flow


def together(flows: Iterable[Flow]) -> Flow:
    """Return the flow of several workers; its seconds are those of the longest."""
    whole = Flow(0.0)
    for flow in flows:
        whole.seconds = max(whole.seconds, flow.seconds)
        for job, count in flow.taken_up.items():
            whole.taken_up[job] += count
        whole.scored += flow.scored
        whole.alerted += flow.alerted
        for job, buckets in flow.latency_buckets.items():
            for upper, chunks in buckets.items():
                whole.latency_buckets[job][upper] += chunks
    return whole


def job_flows(flow: Flow) -> list[JobFlow]:
    """Return the flow of each job, by name."""
    return [
        JobFlow(
            job,
            flow.taken_up[job] / flow.seconds if flow.seconds else 0.0,
            _milliseconds(quantile(flow.latency_buckets.get(job, {}), 0.5)),
            _milliseconds(quantile(flow.latency_buckets.get(job, {}), 0.99)),
        )
        for job in sorted(flow.taken_up)
    ]


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """Return a quantile of cumulative buckets, interpolated within its bucket as Prometheus does; None without any.

    What lies beyond the last finite bound is taken for that bound.

    >>> quantile({1.0: 0.0, 2.0: 10.0, math.inf: 10.0}, 0.5)
    1.5
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0.0
    if total <= 0.0:
        return None
    rank = share * total
    lower, below = 0.0, 0.0
    for upper in bounds:
        count = buckets[upper]
        if count >= rank and count > below:
            if math.isinf(upper):
                return lower
            return lower + (upper - lower) * (rank - below) / (count - below)
        lower, below = upper, count
    return lower


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else 1000.0 * seconds
