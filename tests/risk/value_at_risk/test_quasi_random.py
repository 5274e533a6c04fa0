import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, qmc

from risk.value_at_risk.quasi_random import MOST_DIMENSIONS, antithetic_weyl_points


@given(st.integers(1, 600).map(lambda half: 2 * half), st.integers(1, MOST_DIMENSIONS))
def test_points_lie_inside_and_mirror_each_other(count: int, dimensions: int) -> None:
    """Every coordinate lies strictly between 0 and 1, and the second half is the first seen from the other side."""
    points = antithetic_weyl_points(count, dimensions)
    assert points.shape == (count, dimensions)
    assert np.all((points > 0.0) & (points < 1.0))
    assert np.array_equal(points[count // 2 :], 1.0 - points[: count // 2])


def test_they_fill_the_square_more_evenly_than_chance() -> None:
    """In every pair of neighbouring dimensions the discrepancy is below that of most random points."""
    points = antithetic_weyl_points(1_024, MOST_DIMENSIONS)
    draw = np.random.default_rng(3)
    chance = np.median([qmc.discrepancy(draw.random((1_024, 2))) for _ in range(30)])
    for first in range(MOST_DIMENSIONS - 1):
        assert qmc.discrepancy(points[:, first : first + 2]) < chance


@pytest.mark.parametrize("bars", [2, 5, 10, 20])
@pytest.mark.parametrize(("level", "within"), [(0.95, 0.05), (0.975, 0.06), (0.99, 0.08)])
def test_sums_of_normals_have_the_quantiles_of_a_normal(bars: int, level: float, within: float) -> None:
    """The sum of as many normals as bars has the known quantile, within what the tests of simulations may rely on."""
    sums = norm.ppf(antithetic_weyl_points(1_024, 20)[:, :bars]).sum(axis=1) / math.sqrt(bars)
    assert np.quantile(sums, 1.0 - level) == pytest.approx(norm.ppf(1.0 - level), rel=within)


def test_impossible_sets_are_refused() -> None:
    """There are no points in 21 dimensions, nor an odd number of antithetic ones."""
    with pytest.raises(ValueError, match="21 dimensions: there are points for 1 to 20"):
        antithetic_weyl_points(4, 21)
    with pytest.raises(ValueError, match="3 points: an antithetic set has an even number"):
        antithetic_weyl_points(3, 2)
