import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from risk.distributions.standardised_distribution import standardised_quantile, standardised_shortfall
from risk.value_at_risk.equal_cells import equal_cells

shapes = st.one_of(st.just((math.inf, 0.0)), st.tuples(st.floats(2.1, 100.0), st.floats(-0.9, 0.9)))


@given(shapes, st.integers(1, 60))
def test_cells_keep_the_mean_and_every_shortfall(shape: tuple[float, float], cells: int) -> None:
    """The cells rise and average to 0, and the mean of the lowest is the expected shortfall of so much probability."""
    means = equal_cells(cells, *shape)
    assert np.all(np.diff(means) > 0.0)
    assert means.mean() == pytest.approx(0.0, abs=1e-12)
    for lowest in range(1, cells):
        expected = standardised_shortfall(lowest / cells, *shape)
        assert -means[:lowest].mean() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_cell_is_the_mean_of_its_quantiles() -> None:
    """A cell inside is the integral of the quantile over its probabilities."""
    shape = (5.0, -0.3)
    for cell, mean in enumerate(equal_cells(8, *shape).tolist()):
        if 0 < cell < 7:
            expected, _ = integrate.quad(lambda p: standardised_quantile(p, *shape), cell / 8, (cell + 1) / 8)
            assert mean == pytest.approx(8.0 * expected, rel=1e-9)
