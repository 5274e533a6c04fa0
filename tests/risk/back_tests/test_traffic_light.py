import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm

from risk.back_tests.traffic_light import ZONES, TrafficLight, plus_factor, traffic_light, traffic_light_zone

counts = st.integers(1, 2_000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, min(n, 60))))
levels = st.sampled_from([0.95, 0.975, 0.99])

PUBLISHED = [("green", 0.0)] * 5
PUBLISHED += [("yellow", one) for one in (0.40, 0.50, 0.65, 0.75, 0.85)]
PUBLISHED += [("red", 1.0)] * 4
"""Basel Committee on Banking Supervision, January 1996, table 2: by the exceedances of 250 days at 99 %."""


@pytest.mark.parametrize(("exceedances", "expected"), list(enumerate(PUBLISHED)))
def test_the_published_table_is_found(exceedances: int, expected: tuple[str, float]) -> None:
    """250 days at 99 % have the zones and plus factors of the Basel Committee's table."""
    found = traffic_light(np.arange(250) < exceedances)
    assert (found.zone, found.plus_factor) == expected
    assert found.cumulative_probability == pytest.approx(binom.cdf(exceedances, 250, 0.01), rel=1e-9)


@given(counts, levels)
def test_zones_begin_at_their_probabilities(count: tuple[int, int], level: float) -> None:
    """For any number of bars, scipy's binomial distribution function says which zone it is."""
    bars, exceedances = count
    cumulative = binom.cdf(exceedances, bars, 1.0 - level)
    expected = 0 if exceedances == 0 else int(cumulative >= 0.95) + int(cumulative >= 0.9999)
    if min(abs(cumulative - 0.95), abs(cumulative - 0.9999)) > 1e-9:
        assert traffic_light_zone(bars, exceedances, level) == expected


@given(counts, levels)
def test_more_exceedances_never_cost_less(count: tuple[int, int], level: float) -> None:
    """The plus factor lies between 0 and 1, is 0 in green and 1 in red, and rises with the exceedances."""
    bars, exceedances = count
    zone, plus = traffic_light_zone(bars, exceedances, level), plus_factor(bars, exceedances, level)
    assert 0.0 <= plus <= 1.0
    assert zone != 0 or plus == 0.0
    assert zone != 2 or plus == 1.0
    assert plus <= plus_factor(bars, min(exceedances + 1, bars), level) + 1e-12


@pytest.mark.parametrize("exceedances", range(5, 10))
def test_the_reasoning_explains_the_published_table(exceedances: int) -> None:
    """With the shares of the table, but of another number of bars, the factors lie within rounding of the table's."""
    found = plus_factor(251, exceedances, 0.99)
    assert found == pytest.approx(PUBLISHED[exceedances][1], abs=0.03)
    assert found == pytest.approx(3.0 * (norm.ppf(0.99) / norm.ppf(1.0 - exceedances / 251) - 1.0), rel=1e-12)


def test_no_bars_are_green() -> None:
    """Before the first bar the light is green."""
    assert traffic_light(np.zeros(0, dtype=np.bool_)) == TrafficLight(ZONES[0], 0.0, 1.0)
