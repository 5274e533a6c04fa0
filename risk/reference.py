"""What a model's scores and features looked like when it was tested, in bins: what a live stream is held against."""

import math
from itertools import pairwise

import msgspec

BINS = 10
"""The most bins of a reference, apart from that of missing values: deciles."""


class BinShares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shares of values in bins, the lowest first: up to and with the first edge, up to the second, ..., beyond.

    `missing` is the share of values that are NaN; all shares add up to 1. Raises ValueError for edges that do not rise,
    and for numbers that fit no bins.

    >>> BinShares(edges=(0.5,), shares=(0.8, 0.2)).missing
    0.0
    >>> BinShares(edges=(0.5, 0.5), shares=(0.8, 0.1, 0.1))
    Traceback (most recent call last):
    ...
    ValueError: edges (0.5, 0.5): give at most 9 finite numbers, each greater than the last
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float = 0.0

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in pairwise(self.edges)) and all(map(math.isfinite, self.edges))
        if not rising or len(self.edges) >= BINS:
            raise ValueError(f"edges {self.edges}: give at most {BINS - 1} finite numbers, each greater than the last")
        if len(self.shares) != len(self.edges) + 1:
            raise ValueError(f"{len(self.shares)} shares: give {len(self.edges) + 1}, one more than there are edges")
        every = (*self.shares, self.missing)
        if not (min(every) >= 0.0 and abs(sum(every) - 1.0) < 1e-9):
            raise ValueError(f"shares {self.shares} and missing {self.missing}: give shares of 0 to 1 that add up to 1")


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bins of the scores, and of every feature before the normaliser, on `transactions` that were not learnt from.

    They are all the transactions of the test window's days, as a worker would have met them.
    """

    transactions: int
    scores: BinShares
    features: dict[str, BinShares]
