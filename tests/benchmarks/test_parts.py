import itertools

import pytest

from benchmarks import batch_sizes, hot_key, memory, stages, wakes
from benchmarks.effort import Effort
from benchmarks.gate import least_ratios
from benchmarks.in_process import REFERENCE, Pipeline, batches_of, simulated_payments
from benchmarks.stage_clock import StageClock, clocked
from benchmarks.velocity_fold import VelocityFold
from benchmarks.velocity_job import transactions


def test_every_job_takes_batches_of_every_size() -> None:
    """Each job has a cost at sizes of one and of many."""
    for size in (1, 50):
        costs = batch_sizes.measure(size, events=50, rounds=2, filling_events=1_000)
        assert list(costs) == [job.name for job in batch_sizes.JOBS]
        assert all(len(values) == 2 and min(values) > 0 for values in costs.values())


def test_a_hot_key_is_half_of_all_events() -> None:
    """The stream that is hot has half of its events on one customer and merchant, and every job takes it."""
    assert all(min(values) > 0 for values in hot_key.measure(hot_key.HOT_FRACTION, 2_000, rounds=1).values())
    keys = [key for key, _ in transactions(4_000, seed=1, hot_fraction=0.5)]
    assert keys.count("c000000") == pytest.approx(2_000, rel=0.1)


def test_the_pipeline_scores_every_transaction() -> None:
    """What is timed as both hops is both hops: each transaction is scored, and none waits for labels."""
    pipeline = Pipeline()
    batches = batches_of(simulated_payments(3_000), 700)
    counts = [pipeline.advance(batch.chunk).counts["scored"] for batch in batches]
    assert counts == [len(batch) for batch in batches]


def test_every_stage_of_both_jobs_takes_time() -> None:
    """The functions that the stages are named after are there and called."""
    batches = batches_of(simulated_payments(4_000), 1_000)
    for found in (stages.velocity_stages(batches), stages.pipeline_stages(batches)):
        assert min(found.values()) > 0, found
    assert set(stages.PIPELINE_STAGES.values()) < set(found)


def test_a_stage_within_another_interrupts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of the inner stage is not the outer's."""
    ticks = itertools.count(0, 10)
    monkeypatch.setattr("benchmarks.stage_clock.time.thread_time_ns", lambda: next(ticks))
    clock = StageClock()
    inner = clock.wrapped("inner", lambda: None)
    clock.wrapped("outer", lambda: (inner(), inner()))()
    # Six readings, 10 ns apart: the inner stage runs from the second to the third and from the fourth to the fifth.
    assert clock.spent_ns == {"inner": 20, "outer": 30}


def test_a_stage_that_is_gone_is_an_error() -> None:
    """A function that was renamed is not taken for a stage that costs nothing, and all are as they were."""
    before = VelocityFold.advance
    with (
        pytest.raises(AttributeError),
        clocked({"benchmarks.velocity_fold:VelocityFold.advance": "a", "benchmarks.velocity_fold:gone": "b"}),
    ):
        pass
    assert VelocityFold.advance is before


@pytest.mark.parametrize("job", memory.JOBS)
def test_memory_is_measured_in_a_process_of_its_own(job: str) -> None:
    """More entities take more memory, and the peak is no less than what is there."""
    few, many = memory.measure(job, [20_000, 100_000])
    assert (few.entities, many.entities) == (20_000, 100_000)
    assert many.resident_bytes > few.resident_bytes
    assert many.peak_bytes >= many.resident_bytes


def test_without_room_memory_is_said_not_to_be_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A size for which there is no memory is skipped, loudly."""
    monkeypatch.setattr(memory, "available_bytes", lambda: 1_000_000)
    assert memory.figures(Effort(quick=True, rounds=1)) == []
    assert "MEMORY NOT MEASURED at 1,000,000" in " ".join(capsys.readouterr().err.split())


def test_ratios_are_of_every_job() -> None:
    """The gate's ratios are positive, whatever the machine does."""
    assert all(ratio > 0 for ratio in least_ratios(rounds=1, events=1_000).values())


def test_a_batch_after_a_pause_is_measured_without_the_pause() -> None:
    """A pause of 10 ms is not in what the batch after it costs."""
    messages = simulated_payments(2_000)
    measured = batches_of(messages[1_000:1_060], 5, first_offset=1_000)
    found = wakes.measure(REFERENCE, batches_of(messages[:1_000], 1_000), measured)
    assert list(found) == [0, 1, 10]
    assert all(0 < microseconds < 10_000 for microseconds in found.values())
