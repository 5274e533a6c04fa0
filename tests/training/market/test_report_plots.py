import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.market.report_plots import _thinned, _ticks

DAY = 86_400.0


@given(arrays(np.float64, st.integers(1, 5000), elements=st.floats(-1e6, 1e6)))
def test_a_thinned_line_keeps_its_ends_and_its_extremes(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """However many points there are, the first, the last, the least and the greatest are among those drawn."""
    at = _thinned(values)
    assert (np.diff(at) > 0).all()
    assert len(at) <= 702
    assert {0, len(values) - 1} <= set(at.tolist())
    assert (values[at].min(), values[at].max()) == (values.min(), values.max())


@pytest.mark.parametrize("days", [0.2, 3, 20, 120, 400, 800, 1200, 4000, 20_000])
def test_few_ticks_lie_within_the_bars(days: float) -> None:
    """From hours to half a century, between two and nine ticks, in order, each with a label of its own."""
    moments, form = _ticks(1e9, 1e9 + days * DAY)
    times = [one.timestamp() for one in moments]
    assert 2 <= len(times) <= 9
    assert times == sorted(times)
    assert all(1e9 <= one <= 1e9 + days * DAY for one in times)
    assert len({format(one, form) for one in moments}) == len(moments)
