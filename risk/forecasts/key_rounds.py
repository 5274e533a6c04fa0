"""Splits a batch in which keys repeat into rounds in which none does, so that a model takes up a round at once."""

import numpy as np
from numpy.typing import NDArray


def rounds(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the positions of rows int64[n] in rounds: in the k-th are those at which a row number comes the k-th time.

    >>> [one.tolist() for one in rounds(np.array([7, 7, 5, 7, 5]))]
    [[0, 2], [1, 4], [3]]
    """
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    first = np.append(True, ordered[1:] != ordered[:-1])[: len(rows)]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(rows)), 0))
    turn = np.empty(len(rows), dtype=np.int64)
    turn[order] = np.arange(len(rows)) - starts
    by_turn = np.argsort(turn, kind="stable")
    return np.split(by_turn, np.cumsum(np.bincount(turn))[:-1]) if len(rows) else []
