import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rates.curve_factors import curve_factors
from risk.rates.discount import zero_rates

TENORS = np.array([0.25, 1.0, 2.0, 5.0, 10.0, 30.0])


@given(st.lists(st.floats(-3.0, 15.0), min_size=6, max_size=6).map(np.array))
def test_factors_are_diebold_and_lis(zero: np.ndarray) -> None:
    """Level is 10 years; slope 10 years less 3 months; curvature twice 2 years less 3 months less 10 years."""
    short, middle, long = zero[0], zero[2], zero[4]
    assert curve_factors(TENORS, zero) == pytest.approx(
        np.array([long, long - short, 2 * middle - short - long]), abs=1e-12
    )


@given(st.lists(st.floats(-3.0, 15.0), min_size=3, max_size=3).map(np.array))
def test_tenors_that_are_not_there_are_read_off_the_curve(zero: np.ndarray) -> None:
    """Without a node at 3 months, 2 or 10 years, the interpolated zero rates count."""
    tenors = np.array([1.0, 3.0, 7.0])
    short, middle, long = zero_rates(tenors, zero, np.array([0.25, 2.0, 10.0])).tolist()
    assert curve_factors(tenors, zero) == pytest.approx(
        np.array([long, long - short, 2 * middle - short - long]), abs=1e-12
    )


def test_a_parallel_move_is_all_level() -> None:
    """When every rate rises by the same, level rises by it, and slope and curvature stay."""
    zero = np.array([1.0, 1.5, 2.0, 3.0, 3.5, 4.0])
    assert curve_factors(TENORS, zero + 0.25) - curve_factors(TENORS, zero) == pytest.approx(
        np.array([0.25, 0.0, 0.0]), abs=1e-12
    )
