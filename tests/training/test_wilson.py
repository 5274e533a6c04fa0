import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from training.wilson import wilson_interval


@given(st.integers(0, 3000), st.integers(1, 3000))
def test_the_bounds_are_scipys(events: int, others: int) -> None:
    """For every count the interval is that of scipy's binomial test, and holds the share."""
    rows = events + others
    low, high = wilson_interval(np.array([events]), np.array([rows]))
    oracle = binomtest(events, rows).proportion_ci(0.95, method="wilson")
    assert low[0] == pytest.approx(oracle.low, abs=1e-12)
    assert high[0] == pytest.approx(oracle.high, abs=1e-12)
    assert 0.0 <= low[0] <= events / rows <= high[0] <= 1.0


def test_nothing_is_known_without_rows() -> None:
    """No row leaves the whole of 0 to 1."""
    low, high = wilson_interval(np.array([0]), np.array([0]))
    assert (low[0], high[0]) == (0.0, 1.0)
