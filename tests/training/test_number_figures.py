import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import skew

from training.coded_column import code_column
from training.number_figures import QUANTILES, number_figures
from training.table import Numbers

sensible = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
columns = st.lists(
    st.one_of(sensible, st.sampled_from([0.0, 7.0, np.nan, np.inf, -np.inf])), min_size=1, max_size=60
).map(np.array)


@given(columns)
def test_figures_are_those_of_numpy_and_scipy(values: Numbers) -> None:
    """Over the finite values, whatever else is there: neither missing nor infinite ones count as values."""
    found = number_figures(code_column(values))
    finite = values[np.isfinite(values)]
    if not len(finite):
        assert found is None
        return
    assert found is not None
    assert (found.min, found.max) == (finite.min(), finite.max())
    assert found.quantiles == pytest.approx(np.quantile(finite, QUANTILES).tolist(), rel=1e-9, abs=1e-9)
    assert found.mean == pytest.approx(finite.mean(), rel=1e-9, abs=1e-6)
    assert found.infinite == np.isinf(values).sum()
    assert sum(found.histogram.counts) == len(finite)
    if len(finite) == 1:
        assert found.standard_deviation is None
    else:
        assert found.standard_deviation == pytest.approx(finite.std(ddof=1), rel=1e-6, abs=1e-6)
    if np.ptp(finite) > 1.0:
        assert found.skewness == pytest.approx(skew(finite), abs=1e-5)


def test_outliers_are_those_beyond_fences_and_beyond_three_deviations() -> None:
    """Counted one by one by their definitions."""
    values = np.random.default_rng(2).standard_t(2, size=3000)
    found = number_figures(code_column(values))
    assert found is not None
    low, high = np.quantile(values, [0.25, 0.75])
    fences = low - 1.5 * (high - low), high + 1.5 * (high - low)
    assert found.fence_outliers == sum(not fences[0] <= value <= fences[1] for value in values) > 100
    assert found.z_outliers == sum(abs(value - values.mean()) / values.std(ddof=1) > 3.0 for value in values) > 0


def test_the_histogram_spans_the_percentiles() -> None:
    """One far value does not squeeze the rest: bins go from the 1st to the 99th percentile, and the ends hold more."""
    values = np.append(np.arange(1000.0), 1e12)
    found = number_figures(code_column(values))
    assert found is not None
    shown = found.histogram
    assert (shown.low, shown.high) == pytest.approx(tuple(np.quantile(values, [0.01, 0.99])))
    inner = np.histogram(values, bins=np.linspace(shown.low, shown.high, len(shown.counts) + 1))[0]
    assert shown.counts[1:-1] == tuple(inner[1:-1].tolist())
    assert sum(shown.counts) == 1001


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_no_value_is_too_large(values: list[float]) -> None:
    """Neither the largest nor the smallest floats overflow or divide by zero."""
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        column = np.array(values)
        if column.max() / 4.0 - column.min() / 4.0 > 1e307:
            column = column / 4.0
        found = number_figures(code_column(column))
    assert found is not None
    assert found.min <= found.quantiles[3] <= found.max
