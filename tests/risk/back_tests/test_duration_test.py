import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import chi2, weibull_min

from risk.back_tests.duration_test import duration_test


def ratio_by_search(exceeded: NDArray[np.bool_]) -> float:
    """Return the likelihood ratio by a general search over shape and scale, with scipy's Weibull distribution."""
    at = np.flatnonzero(exceeded)
    whole = np.diff(at)
    censored = [one for one in (at[0] + 1 if at[0] else 0, len(exceeded) - 1 - at[-1]) if one]

    def negative(logs: NDArray[np.float64]) -> float:
        one = weibull_min(math.exp(logs[0]), scale=math.exp(logs[1]))
        return -float(one.logpdf(whole).sum() + one.logsf(censored).sum())

    start = math.log(np.mean(whole))
    free = min(float(minimize(negative, [shape, start], method="BFGS").fun) for shape in (-0.5, 0.1, 0.5))
    alone = float(minimize(lambda scale: negative(np.array([0.0, scale[0]])), [start], method="BFGS").fun)
    return 2.0 * (alone - free)


@pytest.mark.parametrize("seed", range(12))
def test_it_is_the_ratio_that_a_general_search_finds(seed: int) -> None:
    """The statistic is that of a search in both parameters, with durations censored at both ends or at none."""
    draw = np.random.default_rng(seed)
    exceeded = draw.random(300) < 0.06
    exceeded[[0, -1]] = seed % 3 == 0
    found = duration_test(exceeded)
    assert found.statistic == pytest.approx(ratio_by_search(exceeded), rel=1e-4, abs=1e-6)
    assert found.p_value == pytest.approx(chi2.sf(found.statistic, 1), rel=1e-9)


@given(st.integers(0, 2**32 - 1), st.integers(1, 400), st.floats(0.0, 1.0))
def test_any_column_has_a_p_value(seed: int, bars: int, share: float) -> None:
    """Whatever exceeded, the statistic is finite and not negative and the p-value lies between 0 and 1."""
    found = duration_test(np.random.default_rng(seed).random(bars) < share)
    assert 0.0 <= found.statistic < math.inf
    assert 0.0 <= found.p_value <= 1.0


def test_clusters_are_found_and_chance_is_not() -> None:
    """Exceedances close together are refused, and of columns by chance about one in twenty is at 5 %."""
    draw = np.random.default_rng(5)
    assert duration_test(np.repeat([False, True, False] * 2, [200, 4, 46, 100, 3, 147])).p_value < 0.01
    refused = np.mean([duration_test(draw.random(1_000) < 0.05).p_value < 0.05 for _ in range(400)])
    assert refused == pytest.approx(0.05, abs=0.035)
