import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import betainc

from risk.distributions.incomplete_beta import incomplete_beta

sizes = st.floats(0.5, 500.0)
shares = st.floats(1e-6, 1.0 - 1e-6)


@given(sizes, sizes, shares)
def test_it_is_that_of_scipy(a: float, b: float, x: float) -> None:
    """The function is scipy's, to eleven digits."""
    assert incomplete_beta(a, b, x, 1.0 - x) == pytest.approx(betainc(a, b, x), rel=1e-11, abs=1e-14)


@given(sizes, sizes, shares)
def test_both_sides_add_up_to_one(a: float, b: float, x: float) -> None:
    """What lies below x, and what lies below 1 - x with a and b exchanged, is everything."""
    both = incomplete_beta(a, b, x, 1.0 - x) + incomplete_beta(b, a, 1.0 - x, x)
    assert both == pytest.approx(1.0, abs=1e-12)


def test_the_ends_are_nothing_and_everything() -> None:
    """At 0 nothing lies below, at 1 everything."""
    assert (incomplete_beta(2.0, 3.0, 0.0, 1.0), incomplete_beta(2.0, 3.0, 1.0, 0.0)) == (0.0, 1.0)
