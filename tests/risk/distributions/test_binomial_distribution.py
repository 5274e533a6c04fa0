import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from risk.distributions.binomial_distribution import binomial_cdf


@given(st.integers(1, 5_000), st.integers(0, 200), st.floats(0.001, 0.2))
def test_it_is_that_of_scipy(trials: int, successes: int, probability: float) -> None:
    """The probability of at most as many successes is scipy's, to ten digits."""
    expected = binom.cdf(successes, trials, probability)
    assert binomial_cdf(successes, trials, probability) == pytest.approx(expected, rel=1e-9, abs=1e-11)
