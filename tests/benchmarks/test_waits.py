import bisect
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.waits import Schedule, percentiles, waits_ms

MS = 1_000_000


def test_a_stall_is_told_of_every_event_that_was_due_in_it() -> None:
    """A sender held up by a stall of 100 ms hides nothing: the waits fall from 100 ms by 1 ms an event."""
    events, stall_from, stall_until = 1_000, 300, 400
    due = np.arange(events) * MS
    # The system answers at once, but nothing gets through during the stall; the sender waits with it.
    sent = np.where((due >= stall_from * MS) & (due < stall_until * MS), stall_until * MS, due)
    schedule = Schedule([str(at) for at in range(events)], due, sent)
    arrived = {str(at): int(sent[at]) for at in range(events)}
    waits = waits_ms(schedule, arrived, 0)
    # By hand: 100 of 1,000 waited, 100, 99, ... 1 ms, so that 99 of 100 waited at most 90.
    assert sorted(waits.tolist())[900:] == list(range(1, 101))
    assert percentiles(waits) == {"p50": 0.0, "p90": 0.0, "p99": 90.0, "p99.9": 99.0, "max": 100.0}
    # Timed from when they left, not one waited.
    assert percentiles((np.array(list(arrived.values())) - sent) / MS)["max"] == 0.0
    assert schedule.lateness_ms(0).max() == 100.0


def test_the_warm_up_is_left_out() -> None:
    """Events due before its end count neither as waits nor as the sender's lateness."""
    due = np.array([5, 6, 7, 8]) * MS
    schedule = Schedule(["a", "b", "c", "d"], due, due + np.array([9, 8, 2, 1]) * MS)
    arrived = {"a": 99 * MS, "b": 99 * MS, "c": 10 * MS}
    assert waits_ms(schedule, arrived, 2 * MS).tolist() == [3.0]
    assert schedule.lateness_ms(2 * MS).tolist() == [2.0, 1.0]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=3_000))
def test_a_percentile_is_the_least_that_so_many_do_not_exceed(waits: list[float]) -> None:
    """Each percentile is one of the waits: at least that fraction are not greater, and fewer are smaller."""
    ordered = sorted(waits)
    for name, found in percentiles(waits).items():
        percent = 100.0 if name == "max" else float(name[1:])
        needed = math.ceil(round(percent * len(ordered) / 100, 9))
        assert found in ordered
        assert bisect.bisect_right(ordered, found) >= needed
        assert bisect.bisect_left(ordered, found) < needed


def test_no_answer_is_no_figure() -> None:
    """Percentiles of nothing are refused rather than made up."""
    with pytest.raises(ValueError, match="no event was answered"):
        percentiles([])
