import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.back_tests.bernoulli_likelihood import bernoulli_log_likelihood, greatest_log_likelihood

trials = st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(trials, st.floats(0.001, 0.999))
def test_it_is_the_logarithm_of_a_product(trial: tuple[int, int], probability: float) -> None:
    """The log-likelihood is the sum of the logarithms of what each trial did."""
    n, successes = trial
    expected = math.fsum([math.log(probability)] * successes + [math.log(1.0 - probability)] * (n - successes))
    assert bernoulli_log_likelihood(n, successes, probability) == pytest.approx(expected, rel=1e-12)


@given(trials, st.floats(0.001, 0.999))
def test_no_probability_fits_better_than_the_share(trial: tuple[int, int], probability: float) -> None:
    """The greatest log-likelihood is not below that of any probability."""
    assert greatest_log_likelihood(*trial) >= bernoulli_log_likelihood(*trial, probability) - 1e-9
