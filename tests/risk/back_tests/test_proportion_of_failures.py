import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, chi2

from risk.back_tests.proportion_of_failures import proportion_of_failures

counts = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(counts, st.sampled_from([0.9, 0.95, 0.975, 0.99]))
def test_it_is_the_likelihood_ratio_of_binomials(count: tuple[int, int], level: float) -> None:
    """The statistic compares scipy's binomial at the share seen with that at the level, and the p-value is scipy's."""
    bars, many = count
    found = proportion_of_failures(np.arange(bars) < many, level)
    expected = 2.0 * (binom.logpmf(many, bars, many / bars) - binom.logpmf(many, bars, 1.0 - level))
    assert found.statistic == pytest.approx(expected, rel=1e-8, abs=1e-8)
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, 1), rel=1e-9)


def test_the_figure_of_jorion_is_found() -> None:
    """20 exceedances of 252 at 95 % give 3.91 (Jorion, Value at Risk, 3rd edition, 2007, chapter 6)."""
    assert round(proportion_of_failures(np.arange(252) < 20, 0.95).statistic, 2) == 3.91


def test_the_figure_of_mathworks_is_found() -> None:
    """57 exceedances of 1,043 at 95 % give .4615 (the documentation of varbacktest, MathWorks)."""
    assert round(proportion_of_failures(np.arange(1_043) < 57, 0.95).statistic, 4) == 0.4615
