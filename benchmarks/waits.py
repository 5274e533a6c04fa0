"""How long events waited for their answer, by the schedule they were due at, and the percentiles of that.

A sender that waits for a stalled system sends too late what would have suffered from the stall, and a clock that starts
at the sending never sees it: that is coordinated omission (Tene 2013, "How not to measure latency"). So an event's
clock starts when it was due, whenever it left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PER_MILLE = {"p50": 500, "p90": 900, "p99": 990, "p99.9": 999, "max": 1_000}
"""The percentiles by name, in whole thousandths, so that no rounding moves one."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When events were due, and when they left, int64[n] each, nanoseconds of the monotonic clock."""

    event_ids: list[str]
    due_ns: NDArray[np.int64]
    sent_ns: NDArray[np.int64]

    def after(self, warm_up_ns: int) -> NDArray[np.bool_]:
        """Return which were due after the first `warm_up_ns`, bool[n]."""
        counted: NDArray[np.bool_] = self.due_ns >= self.due_ns.min(initial=2**62) + warm_up_ns
        return counted

    def lateness_ms(self, warm_up_ns: int) -> NDArray[np.float64]:
        """Return by how much those after the warm-up left too late, float64[n] in milliseconds.

        It is in their waits, as it must be; where it is large, the sender had no core, and says more than the system.
        """
        return (self.sent_ns - self.due_ns)[self.after(warm_up_ns)] / 1e6


def waits_ms(schedule: Schedule, arrived_ns: Mapping[str, int], warm_up_ns: int) -> NDArray[np.float64]:
    """Return, of each event that was answered, the milliseconds from when it was due to the answer's arrival.

    Events that were due in the first `warm_up_ns` are left out.

    >>> schedule = Schedule(["a", "b", "c"], np.array([0, 1_000_000, 2_000_000]), np.array([0, 0, 0]))
    >>> waits_ms(schedule, {"a": 9_000_000, "c": 5_000_000}, warm_up_ns=500_000).tolist()
    [3.0]
    """
    counted = schedule.after(warm_up_ns).tolist()
    waits = [
        arrived_ns[event_id] - due_ns
        for event_id, due_ns, counts in zip(schedule.event_ids, schedule.due_ns.tolist(), counted, strict=True)
        if counts and event_id in arrived_ns
    ]
    return np.array(waits, dtype=np.float64) / 1e6


def percentiles(waits: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    """Return the percentiles by name: each the least of the waits that so many of a hundred do not exceed.

    >>> percentiles([1.0, 2.0, 3.0, 40.0])
    {'p50': 2.0, 'p90': 40.0, 'p99': 40.0, 'p99.9': 40.0, 'max': 40.0}
    """
    if not len(waits):
        raise ValueError("no event was answered")
    ordered = np.sort(waits)
    return {name: float(ordered[-(-len(ordered) * per_mille // 1_000) - 1]) for name, per_mille in PER_MILLE.items()}
