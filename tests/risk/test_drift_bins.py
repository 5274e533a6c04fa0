import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.drift_bins import MISSING, DriftBins
from risk.reference import BINS, BinShares, Reference

numbers = st.one_of(st.integers(-3, 3).map(float), st.sampled_from([math.nan, math.inf, -math.inf]))
edges = st.lists(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0]), unique=True).map(sorted)


def even(found: list[float]) -> BinShares:
    """Return bins of some edges, each of the same share."""
    return BinShares(tuple(found), (1 / (len(found) + 1),) * (len(found) + 1))


def counted(values: list[float], found: list[float]) -> list[int]:
    """Return how many values lie in each bin, found one by one: the slow twin."""
    counts = [0] * (BINS + 1)
    for value in values:
        counts[MISSING if math.isnan(value) else sum(value > edge for edge in found)] += 1
    return counts


@given(
    rows=st.lists(st.tuples(st.floats(0.0, 1.0), numbers, numbers), max_size=50),
    edges_of=st.tuples(edges, edges, edges),
    cut=st.integers(0, 50),
)
def test_bins_are_counted_as_one_by_one_however_rows_are_cut(
    rows: list[tuple[float, float, float]], edges_of: tuple[list[float], ...], cut: int
) -> None:
    """A value equal to an edge is below it, infinite ones lie at the ends, and two chunks count as one."""
    shares = [even(one) for one in edges_of]
    bins = DriftBins(Reference(1, shares[0], {"a": shares[1], "b": shares[2]}), ["a", "b"])
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    expected = [counted(table[:, at].tolist(), found) for at, found in enumerate(edges_of)]
    assert bins.count(table[:, 0], table[:, 1:]).tolist() == expected
    parts = [bins.count(part[:, 0], part[:, 1:]) for part in (table[:cut], table[cut:])]
    assert sum(parts).tolist() == expected  # type: ignore[union-attr]  # two arrays, not the 0 that sum starts from


@pytest.mark.parametrize(
    ("found", "shares", "missing"),
    [
        ((0.0, 0.0), (0.2, 0.4, 0.4), 0.0),
        ((0.0, math.inf), (0.2, 0.4, 0.4), 0.0),
        (tuple(float(at) for at in range(10)), (1 / 11,) * 11, 0.0),
        ((0.0,), (0.5, 0.4, 0.1), 0.0),
        ((0.0,), (0.5, 0.4), 0.0),
        ((0.0,), (0.5, 0.5), 0.1),
        ((0.0,), (1.5, -0.5), 0.0),
        ((0.0,), (math.nan, 0.5), 0.0),
    ],
)
def test_bins_that_cannot_be_are_refused(found: tuple[float, ...], shares: tuple[float, ...], missing: float) -> None:
    """Edges that do not rise, too many of them, and shares that are none are refused, when decoded too."""
    with pytest.raises(ValueError, match="give"):
        BinShares(found, shares, missing)
    if all(map(math.isfinite, (*found, *shares))):
        with pytest.raises(msgspec.ValidationError, match="give"):
            msgspec.json.decode(
                msgspec.json.encode({"edges": found, "shares": shares, "missing": missing}), type=BinShares
            )
