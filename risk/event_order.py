"""The order in which a second hop sees its events, in training and live."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def merge_order(
    event_time_ns: npt.NDArray[np.int64], rank: npt.NDArray[np.bool_] | npt.NDArray[np.uint8], event_id: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Return the permutation, int64[n], that sorts events by (event time, lowest rank first, event id).

    For merchants the rank is False for labels and True for transactions, because a label that is known at an instant
    counts for the transactions of that instant.

    >>> merge_order(np.array([5, 5, 3]), np.array([True, False, True]), ["a", "b", "c"]).tolist()
    [2, 1, 0]
    """
    order = np.lexsort((rank, event_time_ns))
    time, ranked = event_time_ns[order], rank[order]
    tied = np.flatnonzero((time[1:] == time[:-1]) & (ranked[1:] == ranked[:-1]))
    if len(tied):
        # Comparing strings is slow, and ties are few: only runs of equal time and rank are sorted by id.
        breaks = np.flatnonzero(np.diff(tied) > 1)
        starts = tied[np.concatenate(([0], breaks + 1))]
        ends = tied[np.concatenate((breaks, [len(tied) - 1]))] + 2
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            run = order[start:end].tolist()
            run.sort(key=event_id.__getitem__)
            order[start:end] = run
    return order.astype(np.int64, copy=False)
