import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from risk.distributions.chi_squared import chi_squared_survival


@given(st.floats(0.0, 700.0), st.integers(1, 30))
def test_it_is_that_of_scipy(statistic: float, degrees_of_freedom: int) -> None:
    """The probability of a greater statistic is scipy's, to eleven digits, however small."""
    expected = chi2.sf(statistic, degrees_of_freedom)
    assert chi_squared_survival(statistic, degrees_of_freedom) == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("statistic", [0.0, -1.0, float("nan")])
def test_no_statistic_is_no_evidence(statistic: float) -> None:
    """A statistic that is not above 0 has the p-value 1."""
    assert chi_squared_survival(statistic, 1) == 1.0
