"""The order in which a second hop sees its events, in training and live."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from numba import njit

from risk.byte_slices import TextColumn, read_only


def merge_order(
    event_time_ns: npt.NDArray[np.int64], rank: npt.NDArray[np.bool_] | npt.NDArray[np.uint8], event_id: Sequence[str]
) -> npt.NDArray[np.int64]:
    """Return the permutation, int64[n], that sorts events by (event time, lowest rank first, event id).

    For merchants the rank is False for labels and True for transactions, because a label that is known at an instant
    counts for the transactions of that instant.

    >>> merge_order(np.array([5, 5, 3]), np.array([True, False, True]), ["a", "b", "c"]).tolist()
    [2, 1, 0]
    """
    one_turn = np.zeros(len(event_time_ns), dtype=np.int64)
    order = turn_order(one_turn, event_time_ns, rank.view(np.uint8), TextColumn.of(event_id).take)
    return np.arange(len(event_time_ns)) if order is None else order


def turn_order(
    turn: npt.NDArray[np.int64],
    event_time_ns: npt.NDArray[np.int64],
    rank: npt.NDArray[np.uint8],
    event_ids: Callable[[npt.NDArray[np.int64]], TextColumn],
) -> npt.NDArray[np.int64] | None:
    """Return the permutation, int64[n], that sorts events by turn, which does not fall, and within each as above.

    It is None where events come in that order, as many batches of a live stream do. `event_ids` gives the ids of some
    events by their place: only those that are equal in all else are asked for.

    >>> ranks, ids = np.array([1, 1, 1], dtype=np.uint8), TextColumn.of(["b", "a", "c"])
    >>> turn_order(np.array([0, 0, 1]), np.array([5, 5, 2]), ranks, ids.take).tolist()
    [1, 0, 2]
    >>> turn_order(np.array([0, 0, 1]), np.array([3, 5, 2]), ranks, ids.take)
    """
    rises, ties = _rises(turn, event_time_ns, rank)
    if rises and not ties:
        return None
    order = np.arange(len(turn)) if rises else np.lexsort((rank, event_time_ns, turn))
    places, ends = _ties(order, turn, event_time_ns, rank)
    if len(places):
        tied = order[places]
        ids = event_ids(tied)
        # The bytes of UTF-8 are in the order of the texts.
        order[places] = tied[_sorted_runs(ends, read_only(ids.data), ids.starts, ids.ends)]
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
    """Return the places in `order` of events that are equal to a neighbour, run by run, and where each run ends there.

    A run are those of one turn, time and rank.
    """
    places = np.empty(order.shape[0], dtype=np.int64)
    ends = np.empty(order.shape[0] // 2, dtype=np.int64)
    count = runs = start = 0
    for place in range(1, order.shape[0] + 1):
        if place < order.shape[0]:
            at, before = order[place], order[place - 1]
            if turn[at] == turn[before] and time_ns[at] == time_ns[before] and rank[at] == rank[before]:
                continue
        if place - start > 1:
            for tied in range(start, place):
                places[count] = tied
                count += 1
            ends[runs] = count
            runs += 1
        start = place
    return places[:count], ends[:runs]


@njit(cache=True)
def _precedes(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], one: int, other: int
) -> bool:
    """Return whether the bytes of one slice come before those of another."""
    size, other_size = ends[one] - starts[one], ends[other] - starts[other]
    for place in range(min(size, other_size)):
        byte, other_byte = data[starts[one] + place], data[starts[other] + place]
        if byte != other_byte:
            return bool(byte < other_byte)
    return bool(size < other_size)


@njit(cache=True)
def _sorted_runs(
    run_ends: npt.NDArray[np.int64],
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Return the permutation that sorts each run of slices by their bytes; equal ones keep their order.

    By merging ever longer pieces, for all events of a backlog may be of one instant.
    """
    order = np.arange(starts.shape[0])
    merged = np.empty_like(order)
    first = 0
    for end in run_ends:
        size = 1
        while size < end - first:
            for left in range(first, end, 2 * size):
                middle, stop = min(left + size, end), min(left + 2 * size, end)
                one, other = left, middle
                for place in range(left, stop):
                    if one == middle or (other < stop and _precedes(data, starts, ends, order[other], order[one])):
                        merged[place] = order[other]
                        other += 1
                    else:
                        merged[place] = order[one]
                        one += 1
            order[first:end] = merged[first:end]
            size *= 2
        first = end
    return order
