import math

import pytest
from prometheus_client import generate_latest

from stream.metrics import Metrics
from stream.page.worker_figures import WorkerFigures, between, figures_of, job_flows, quantile, together


def text_of(scored: int, latencies_ms: tuple[float, ...]) -> str:
    """Return the metrics of a worker that scored so many transactions, with chunks of these latencies."""
    metrics = Metrics(10)
    metrics.records_in.labels("customers").inc(scored)
    metrics.events.labels("merchants", "scored").inc(scored)
    metrics.events.labels("merchants", "alerted").inc(scored // 10)
    metrics.rejected.labels("customers", "not_json").inc(3)
    metrics.state_rows.labels("customers", "0").set(7)
    metrics.state_rows.labels("customers", "1").set(7)
    for one in latencies_ms:
        metrics.latency_seconds.labels("customers").observe(one / 1000.0)
    return generate_latest(metrics.registry).decode()


def test_figures_are_read_from_a_workers_own_metrics() -> None:
    """Counters, partitions and buckets are those that the worker's collectors hold."""
    figures = figures_of(text_of(100, (4.0, 4.0, 9.0)))
    assert (figures.taken_up, figures.scored, figures.alerted) == ({"customers": 100.0}, 100.0, 10.0)
    assert (figures.rejected, figures.partitions) == (3.0, 2)
    assert figures.latency_buckets["customers"][0.005] == 2.0
    assert figures.latency_buckets["customers"][math.inf] == 3.0


def test_rates_and_latencies_are_of_what_happened_between_two_readings() -> None:
    """What was before the first reading does not count, neither in rates nor in latencies."""
    before, after = figures_of(text_of(100, (900.0,) * 50)), figures_of(text_of(160, (900.0,) * 50 + (4.0,) * 10))
    flow = between(before, after, 2.0)
    assert (flow.scored, flow.alerted) == (60.0, 6.0)
    (job,) = job_flows(flow)
    assert job.records_per_second == 30.0
    assert job.p50_ms == pytest.approx(4.0, abs=0.1)
    assert job.p99_ms == pytest.approx(4.99, abs=0.1)


def test_a_worker_that_began_anew_has_counted_from_zero() -> None:
    """After a restart the counters are lower than before: all of them happened since."""
    flow = between(figures_of(text_of(1_000, (4.0,))), figures_of(text_of(40, (4.0,))), 2.0)
    assert (flow.taken_up["customers"], flow.scored) == (40.0, 40.0)
    assert all(count >= 0.0 for buckets in flow.latency_buckets.values() for count in buckets.values())


def test_workers_are_added_up() -> None:
    """Counts and buckets of all workers are one flow."""
    nothing = WorkerFigures({}, 0.0, 0.0, 0.0, 0, (), {})
    flows = [between(nothing, figures_of(text_of(100, (latency,) * 10)), 2.0) for latency in (4.0, 40.0)]
    whole = together(flows)
    assert whole.scored == 200.0
    assert whole.latency_buckets["customers"][math.inf] == 20.0
    assert job_flows(whole)[0].records_per_second == 100.0


@pytest.mark.parametrize(
    ("buckets", "share", "found"),
    [
        ({}, 0.5, None),
        ({1.0: 0.0, math.inf: 0.0}, 0.5, None),
        ({1.0: 10.0, math.inf: 10.0}, 0.5, 0.5),
        ({1.0: 0.0, 3.0: 4.0, math.inf: 4.0}, 0.25, 1.5),
        ({1.0: 0.0, math.inf: 4.0}, 0.99, 1.0),
    ],
)
def test_quantiles_are_interpolated_as_prometheus_does(
    buckets: dict[float, float], share: float, found: float | None
) -> None:
    """Within a bucket evenly; beyond the last finite bound, that bound; None of nothing."""
    assert quantile(buckets, share) == found


@pytest.mark.parametrize("text", ["<html>", 'x{y="z', "a b c d", "up 1", ""])
def test_what_is_no_page_of_metrics_is_an_error(text: str) -> None:
    """Another server's answer is not taken for that of an idle worker."""
    with pytest.raises(ValueError, match=r"\w"):
        figures_of(text)
