import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2
from statsmodels.regression.linear_model import OLS

from risk.back_tests.dynamic_quantile import LAGS, dynamic_quantile, dynamic_quantile_statistic

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.integers(40, 500), st.sampled_from([0.95, 0.99]), st.sampled_from([0.0, 1.0, 4.0]), st.booleans())
def test_it_is_what_a_regression_explains(seed: int, bars: int, level: float, times: float, constant: bool) -> None:
    """The statistic is the squared length of what statsmodels' regression fits, and its freedom the rank."""
    draw = np.random.default_rng(seed)
    exceeded = draw.random(bars) < times * (1.0 - level)
    values = np.full(bars, 2.3) if constant else draw.uniform(1.0, 3.0, bars)
    surprise = exceeded - (1.0 - level)
    lags = [surprise[LAGS - lag : bars - lag] for lag in range(1, LAGS + 1)]
    design = np.column_stack([np.ones(bars - LAGS), *lags, values[LAGS:]])
    fitted = np.linalg.lstsq(design, surprise[LAGS:], rcond=1e-10)
    explained = OLS(surprise[LAGS:], np.linalg.svd(design, full_matrices=False)[0][:, : fitted[2]]).fit().fittedvalues
    statistic, freedom = dynamic_quantile_statistic(exceeded, values, level)
    assert freedom == fitted[2]
    assert statistic == pytest.approx(explained @ explained / (level * (1.0 - level)), rel=1e-8, abs=1e-10)
    assert dynamic_quantile(exceeded, values, level).p_value == pytest.approx(chi2.sf(statistic, freedom), rel=1e-9)


@given(seeds, st.floats(1e-3, 1e3))
def test_the_unit_of_the_value_at_risk_does_not_matter(seed: int, unit: float) -> None:
    """In percent or in dollars, the statistic is the same."""
    draw = np.random.default_rng(seed)
    exceeded, values = draw.random(250) < 0.05, draw.uniform(1.0, 3.0, 250)
    one, other = (dynamic_quantile_statistic(exceeded, values * by, 0.95) for by in (1.0, unit))
    assert one == pytest.approx(other, rel=1e-8)


def test_few_bars_are_no_evidence() -> None:
    """With fewer than 30 bars beyond the lags the p-value is 1."""
    assert dynamic_quantile(np.ones(33, dtype=np.bool_), np.ones(33), 0.99).p_value == 1.0


def test_exceedances_foretold_by_the_value_at_risk_are_found() -> None:
    """Bars that exceed whenever their value at risk is low, if only as often as promised, are found."""
    values = np.tile([1.0, *[2.0] * 19], 25)
    assert dynamic_quantile(values < 1.5, values, 0.95).p_value < 1e-10
