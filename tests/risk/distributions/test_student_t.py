import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import t as student

from risk.distributions.student_t import student_cdf, student_density, student_mean_below, student_quantile

freedoms = st.floats(2.01, 1000.0)
probabilities = st.one_of(st.floats(1e-6, 1.0 - 1e-6), st.floats(-18.0, -1.0).map(lambda one: 10.0**one))


@given(st.floats(-50.0, 50.0), freedoms)
def test_density_and_probability_are_those_of_scipy(x: float, degrees_of_freedom: float) -> None:
    """Both agree with scipy to ten digits."""
    assert student_density(x, degrees_of_freedom) == pytest.approx(student.pdf(x, degrees_of_freedom), rel=1e-10)
    assert student_cdf(x, degrees_of_freedom) == pytest.approx(student.cdf(x, degrees_of_freedom), rel=1e-10)


@given(probabilities, freedoms)
def test_the_quantile_is_that_of_scipy(probability: float, degrees_of_freedom: float) -> None:
    """The quantile agrees with scipy to ten digits, far out in a heavy tail too."""
    expected = student.ppf(probability, degrees_of_freedom)
    assert student_quantile(probability, degrees_of_freedom) == pytest.approx(expected, rel=1e-10, abs=1e-10)


@given(probabilities, freedoms)
def test_the_quantile_undoes_the_probability(probability: float, degrees_of_freedom: float) -> None:
    """The probability of the quantile is the one asked for."""
    again = student_cdf(student_quantile(probability, degrees_of_freedom), degrees_of_freedom)
    assert again == pytest.approx(probability, rel=1e-10)


@pytest.mark.parametrize("degrees_of_freedom", [2.1, 4.0, 30.0])
@pytest.mark.parametrize("x", [-4.0, -1.0, 0.0, 2.0])
def test_the_mean_below_is_an_integral(x: float, degrees_of_freedom: float) -> None:
    """The closed form is the integral of x times the density."""
    expected, _ = integrate.quad(lambda at: at * student.pdf(at, degrees_of_freedom), -math.inf, x, epsabs=1e-12)
    assert student_mean_below(x, degrees_of_freedom) == pytest.approx(expected, rel=1e-7)
