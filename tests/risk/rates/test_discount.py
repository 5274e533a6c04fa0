import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # its documentation names it so
from hypothesis import given
from hypothesis import strategies as st

from risk.rates.discount import discount_factors, zero_rates

TENORS = np.array([0.25, 1.0, 2.0, 5.0, 10.0])
zero_curves = st.lists(st.floats(-5.0, 20.0), min_size=5, max_size=5).map(np.array)
times = st.lists(st.floats(1e-3, 60.0), min_size=1, max_size=9).map(np.array)


@given(zero_curves, times)
def test_logarithms_are_linear_between_nodes_and_the_rate_is_flat_beyond(zero: np.ndarray, at: np.ndarray) -> None:
    """Inside the nodes numpy's interpolation of the logarithms is the same; beyond them the last rate holds."""
    inside = np.interp(at, [0.0, *TENORS], [0.0, *(-zero / 100 * TENORS)])
    expected = np.where(at <= 10.0, inside, -zero[-1] / 100 * at)
    assert np.log(discount_factors(TENORS, zero, at)) == pytest.approx(expected, abs=1e-12)
    assert zero_rates(TENORS, zero, at) == pytest.approx(-100 * expected / at, abs=1e-9)


def test_discount_factors_are_those_of_quantlib() -> None:
    """QuantLib's log-linear discount curve gives the same factors at dates between nodes."""
    zero = np.array([0.5, 1.0, 1.5, 2.0, 3.0])
    today = ql.Date(1, 1, 2022)
    dates = [today, *(today + int(360 * tenor) for tenor in TENORS)]
    factors = [1.0, *np.exp(-zero / 100 * TENORS).tolist()]
    curve = ql.DiscountCurve(dates, factors, ql.Actual360(), ql.NullCalendar())
    days = [1, 45, 90, 200, 500, 1000, 3600]
    expected = np.array([curve.discount(today + day) for day in days])
    assert discount_factors(TENORS, zero, np.array(days) / 360) == pytest.approx(expected, abs=1e-14)
