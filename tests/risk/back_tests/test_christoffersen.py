import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chi2, chi2_contingency

from risk.back_tests.christoffersen import conditional_coverage, independence
from risk.back_tests.proportion_of_failures import proportion_of_failures

columns = st.tuples(st.integers(0, 2**32 - 1), st.integers(5, 400), st.floats(0.02, 0.6)).map(
    lambda one: np.random.default_rng(one[0]).random(one[1]) < one[2]
)


def transitions(exceeded: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how often each state (row) was followed by each (column)."""
    pairs = list(zip(exceeded[:-1].tolist(), exceeded[1:].tolist(), strict=True))
    return np.array([[pairs.count((a, b)) for b in (False, True)] for a in (False, True)])


@given(columns)
def test_independence_is_the_g_test_of_transitions(exceeded: NDArray[np.bool_]) -> None:
    """The statistic is scipy's G of the table of transitions, and the p-value its own."""
    table = transitions(exceeded)
    assume(table.sum(axis=0).all() and table.sum(axis=1).all())
    peer = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    found = independence(exceeded)
    assert found.statistic == pytest.approx(peer.statistic, rel=1e-9, abs=1e-9)
    assert found.p_value == pytest.approx(peer.pvalue, rel=1e-6)


@given(columns, st.sampled_from([0.95, 0.99]))
def test_conditional_coverage_is_both_together(exceeded: NDArray[np.bool_], level: float) -> None:
    """The statistic is that of Kupiec and that of independence, of two degrees of freedom."""
    found = conditional_coverage(exceeded, level)
    expected = proportion_of_failures(exceeded, level).statistic + independence(exceeded).statistic
    assert found.statistic == pytest.approx(expected, rel=1e-12)
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, 2), rel=1e-9)


@pytest.mark.parametrize("exceeded", [[], [True], [False] * 9, [True] * 9, [False, True]])
def test_no_transition_is_no_evidence(exceeded: list[bool]) -> None:
    """Where a state never came, or never changed, nothing speaks against independence."""
    assert independence(np.array(exceeded, dtype=np.bool_)).p_value == pytest.approx(1.0, abs=1e-6)


def test_the_figures_of_mathworks_are_found() -> None:
    """932, 53, 53 and 4 transitions at 95 % give .2587 and .7201 (the documentation of varbacktest, MathWorks)."""
    runs = [[True, True]] * 4 + [[True]] * 49
    exceeded = np.array([one for run in runs for one in [False, *run]] + [False] * (1_043 - 53 - 57))
    assert transitions(exceeded).tolist() == [[932, 53], [53, 4]]
    assert round(independence(exceeded).statistic, 4) == 0.2587
    assert round(conditional_coverage(exceeded, 0.95).statistic, 4) == 0.7201
