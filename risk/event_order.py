"""The order in which a second hop sees its events, in training and live."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
from numba import njit


class EventIds(Protocol):
    """The ids of events, by their place."""

    def __getitem__(self, at: int, /) -> str:
        """Return the id of one."""


def merge_order(
    event_time_ns: npt.NDArray[np.int64], rank: npt.NDArray[np.bool_] | npt.NDArray[np.uint8], event_id: EventIds
) -> npt.NDArray[np.int64]:
    """Return the permutation, int64[n], that sorts events by (event time, lowest rank first, event id).

    For merchants the rank is False for labels and True for transactions, because a label that is known at an instant
    counts for the transactions of that instant.

    >>> merge_order(np.array([5, 5, 3]), np.array([True, False, True]), ["a", "b", "c"]).tolist()
    [2, 1, 0]
    """
    one_turn = np.zeros(len(event_time_ns), dtype=np.int64)
    order = turn_order(one_turn, event_time_ns, rank.view(np.uint8), event_id)
    return np.arange(len(event_time_ns)) if order is None else order


def turn_order(
    turn: npt.NDArray[np.int64],
    event_time_ns: npt.NDArray[np.int64],
    rank: npt.NDArray[np.uint8],
    event_id: EventIds,
) -> npt.NDArray[np.int64] | None:
    """Return the permutation, int64[n], that sorts events by turn, which does not fall, and within each as above.

    It is None where events come in that order, as most batches of a live stream do.

    >>> ranks = np.array([1, 1, 1], dtype=np.uint8)
    >>> turn_order(np.array([0, 0, 1]), np.array([5, 3, 2]), ranks, ["a", "b", "c"]).tolist()
    [1, 0, 2]
    >>> turn_order(np.array([0, 0, 1]), np.array([3, 5, 2]), ranks, ["a", "b", "c"])
    """
    rises, ties = _rises(turn, event_time_ns, rank)
    if rises and not ties:
        return None
    order = np.arange(len(turn)) if rises else np.lexsort((rank, event_time_ns, turn))
    starts, ends = _ties(order, turn, event_time_ns, rank)
    # Comparing strings is slow, and ties are few: only runs of equal time and rank are sorted by id.
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        run = order[start:end].tolist()
        run.sort(key=event_id.__getitem__)
        order[start:end] = run
    return order


@njit(cache=True)
def _rises(
    turn: npt.NDArray[np.int64], time_ns: npt.NDArray[np.int64], rank: npt.NDArray[np.uint8]
) -> tuple[bool, bool]:
    """Return whether events are in the order of turn, time and rank, and whether any two neighbours are equal in it."""
    ties = False
    for row in range(1, turn.shape[0]):
        if turn[row] != turn[row - 1]:
            continue
        if time_ns[row] < time_ns[row - 1] or (time_ns[row] == time_ns[row - 1] and rank[row] < rank[row - 1]):
            return False, ties
        ties |= time_ns[row] == time_ns[row - 1] and rank[row] == rank[row - 1]
    return True, ties


@njit(cache=True)
def _ties(
    order: npt.NDArray[np.int64],
    turn: npt.NDArray[np.int64],
    time_ns: npt.NDArray[np.int64],
    rank: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return where each run of two or more events of equal turn, time and rank begins and ends, int64[runs] each."""
    starts = np.empty(order.shape[0] // 2, dtype=np.int64)
    ends = np.empty(order.shape[0] // 2, dtype=np.int64)
    runs = start = 0
    for place in range(1, order.shape[0] + 1):
        if place < order.shape[0]:
            at, before = order[place], order[place - 1]
            if turn[at] == turn[before] and time_ns[at] == time_ns[before] and rank[at] == rank[before]:
                continue
        if place - start > 1:
            starts[runs], ends[runs] = start, place
            runs += 1
        start = place
    return starts[:runs], ends[:runs]
