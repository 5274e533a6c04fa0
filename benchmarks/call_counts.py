"""How many calls Python makes for a piece of work: functions of its own, and those written in C.

The number is the same on every run. It shows at once what a clock on a busy machine does not: a message that takes the
slow path, a loop over rows where there was a column.
"""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from benchmarks.gate_jobs import COUNTED_EVENTS, GATE_JOBS


def calls_of(work: Callable[[], None]) -> int:
    """Return how many calls a piece of work makes.

    >>> calls_of(lambda: None) < calls_of(lambda: [abs(at) for at in range(1_000)] and None)
    True
    """
    count = 0

    def counted(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def call_counts() -> dict[str, float]:
    """Return the calls an event by job."""
    counts = {}
    for job in GATE_JOBS:
        counts[job.name] = round(calls_of(job.prepared()) / COUNTED_EVENTS, 4)
    return counts
