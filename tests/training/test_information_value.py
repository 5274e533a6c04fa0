import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.information_value import information_value

bins = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8)


@given(bins)
def test_it_is_the_sum_of_the_books_table(counts: list[tuple[int, int]]) -> None:
    """Added up bin by bin as in the book's table, it is the same, and never negative."""
    events, others = (sum(one[side] for one in counts) + 0.5 * len(counts) for side in (0, 1))
    slow = 0.0
    for hits, misses in counts:
        share_of_events, share_of_others = (hits + 0.5) / events, (misses + 0.5) / others
        slow += (share_of_others - share_of_events) * math.log(share_of_others / share_of_events)
    found = information_value(np.array([sum(one) for one in counts]), np.array([one[0] for one in counts]))
    assert found == pytest.approx(slow, abs=1e-12)
    assert found >= -1e-12


def test_alike_bins_tell_nothing() -> None:
    """Bins of the same counts are worth nothing."""
    assert information_value(np.array([40, 40, 40]), np.array([4, 4, 4])) == 0.0
