import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # its documentation names it so
from hypothesis import given
from hypothesis import strategies as st

from risk.rates.bond import YEAR_NS, Bond, cash_flows, coupon_cash_flows
from risk.rates.bond_yield import convexity, modified_duration, price_at_yield, yield_to_maturity
from risk.rates.key_rates import KEY_TENORS_YEARS, key_rate_bump, key_rate_weights, parallel_bump
from risk.rates.rate_sensitivity import (
    dv01,
    effective_convexity,
    effective_duration,
    key_rate_durations,
    key_rate_dv01,
    present_value,
)

TENORS = np.array(KEY_TENORS_YEARS)
zero_curves = st.lists(st.floats(-2.0, 12.0), min_size=10, max_size=10).map(np.array)
flows = st.lists(st.tuples(st.floats(0.0, 45.0), st.floats(-100.0, 100.0)), min_size=1, max_size=20).map(
    lambda pairs: (np.array([one[0] for one in pairs]), np.array([one[1] for one in pairs]))
)


@given(zero_curves, flows)
def test_dv01_is_what_repricing_on_a_moved_curve_loses(zero: np.ndarray, flow: tuple[np.ndarray, np.ndarray]) -> None:
    """The central difference of two revaluations, half a basis point up and down, is the DV01."""
    up = present_value(TENORS, parallel_bump(zero, 0.5), *flow)
    down = present_value(TENORS, parallel_bump(zero, -0.5), *flow)
    size = float(np.sum(np.abs(flow[1]) * (1 + flow[0]))) * 3
    assert dv01(TENORS, zero, *flow) == pytest.approx(down - up, abs=1e-9 * size)


@given(zero_curves, flows)
def test_key_rates_add_up_to_the_whole(zero: np.ndarray, flow: tuple[np.ndarray, np.ndarray]) -> None:
    """Key-rate DV01s add up to the DV01 to rounding, as the weights of each time add up to one."""
    size = float(np.sum(np.abs(flow[1]) * flow[0])) + 1.0
    assert np.sum(key_rate_dv01(TENORS, zero, *flow)) == pytest.approx(dv01(TENORS, zero, *flow), abs=1e-16 * 3 * size)
    assert key_rate_weights(flow[0]).sum(axis=0) == pytest.approx(np.ones(len(flow[0])), abs=1e-15)


def test_key_rate_durations_add_up_to_the_duration() -> None:
    """A ten-year bond's key-rate durations add up to its effective duration, most of it at ten years."""
    flow = coupon_cash_flows(10.0, 4.0, 2, 100.0)
    zero = np.linspace(2.0, 5.0, 10)
    durations = key_rate_durations(TENORS, zero, *flow)
    assert durations.sum() == pytest.approx(effective_duration(TENORS, zero, *flow), abs=1e-13)
    assert KEY_TENORS_YEARS[int(durations.argmax())] == 10.0
    assert durations[-2:].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("key", range(10))
def test_a_key_rate_bump_of_the_nodes_costs_the_key_rate_dv01(key: int) -> None:
    """Cash flows at the key tenors lose by a bump of the nodes what the key-rate DV01 says."""
    zero, flow = np.linspace(1.0, 4.0, 10), (TENORS, np.full(10, 100.0))
    up = present_value(TENORS, key_rate_bump(TENORS, zero, key, 0.5), *flow)
    down = present_value(TENORS, key_rate_bump(TENORS, zero, key, -0.5), *flow)
    assert key_rate_dv01(TENORS, zero, *flow)[key] == pytest.approx(down - up, abs=1e-7)


def test_value_and_sensitivities_are_those_of_quantlib() -> None:
    """A bond on a flat continuous curve has QuantLib's price, basis point value, duration and convexity."""
    today = ql.Date(1, 1, 2022)
    ql.Settings.instance().evaluationDate = today
    counter = ql.Thirty360(ql.Thirty360.BondBasis)
    schedule = ql.Schedule(
        today,
        ql.Date(1, 1, 2032),
        ql.Period(ql.Semiannual),
        ql.NullCalendar(),
        ql.Unadjusted,
        ql.Unadjusted,
        ql.DateGeneration.Backward,
        False,
    )
    bond = ql.FixedRateBond(0, 100.0, schedule, [0.04], counter)
    rate = ql.InterestRate(0.03, counter, ql.Continuous, ql.Annual)
    flat, flow = (np.array([10.0]), np.array([3.0])), coupon_cash_flows(10.0, 4.0, 2, 100.0)
    price = ql.BondFunctions.cleanPrice(bond, rate)
    assert present_value(*flat, *flow) == pytest.approx(price, abs=1e-10)
    duration = ql.BondFunctions.duration(bond, rate, ql.Duration.Modified)
    assert effective_duration(*flat, *flow) == pytest.approx(duration, abs=1e-10)
    assert dv01(*flat, *flow) == pytest.approx(price * duration * 1e-4, abs=1e-12)
    assert effective_convexity(*flat, *flow) == pytest.approx(ql.BondFunctions.convexity(bond, rate), abs=1e-9)
    semiannual = ql.InterestRate(0.03, counter, ql.Compounded, ql.Semiannual)
    clean = ql.BondFunctions.cleanPrice(bond, semiannual)
    assert price_at_yield(3.0, 2, *flow) == pytest.approx(clean, abs=1e-10)
    assert yield_to_maturity(clean, 2, *flow) == pytest.approx(3.0, abs=1e-9)
    modified = ql.BondFunctions.duration(bond, semiannual, ql.Duration.Modified)
    assert modified_duration(3.0, 2, *flow) == pytest.approx(modified, abs=1e-10)
    assert convexity(3.0, 2, *flow) == pytest.approx(ql.BondFunctions.convexity(bond, semiannual), abs=1e-9)


@given(st.floats(-20.0, 200.0), st.floats(0.1, 40.0), st.floats(0.0, 20.0), st.sampled_from([1, 2, 4, 12]))
def test_yield_and_price_are_inverse(rate: float, years: float, coupon: float, frequency: int) -> None:
    """The yield at the price of a yield is that yield."""
    flow = coupon_cash_flows(years, coupon, frequency, 100.0)
    price = price_at_yield(rate, frequency, *flow)
    assert yield_to_maturity(price, frequency, *flow) == pytest.approx(rate, abs=1e-6)


def test_a_yield_that_does_not_exist_is_refused() -> None:
    """No yield explains a price of nothing, or cash flows that are paid as well as received."""
    with pytest.raises(ValueError, match="positive price"):
        yield_to_maturity(0.0, 2, np.array([1.0]), np.array([1.0]))
    with pytest.raises(ValueError, match="receipts only"):
        yield_to_maturity(1.0, 2, np.array([1.0, 2.0]), np.array([-1.0, 3.0]))


def test_without_value_there_is_no_duration() -> None:
    """Cash flows worth nothing have durations of zero, not an infinity."""
    none = np.empty(0), np.empty(0)
    flat = np.array([1.0]), np.array([2.0])
    assert effective_duration(*flat, *none) == effective_convexity(*flat, *none) == dv01(*flat, *none) == 0.0
    assert key_rate_durations(*flat, *none).tolist() == [0.0] * 10


@given(st.floats(0.0, 50.0), st.floats(0.0, 15.0), st.sampled_from([0, 1, 2, 4, 12]))
def test_a_bond_pays_its_coupons_and_then_its_notional(years: float, coupon: float, frequency: int) -> None:
    """Payments rise in time up to maturity, one a period, all after now; together they are coupons and notional."""
    bond = Bond("USD", int(years * YEAR_NS), coupon, frequency, 100.0)  # type: ignore[arg-type]
    times, amounts = cash_flows(bond, 0)
    if bond.maturity_ns == 0:
        assert len(times) == 0
        return
    assert times.min() > 0.0
    assert times[-1] == bond.maturity_ns / YEAR_NS
    if frequency:
        assert np.diff(times) == pytest.approx(np.full(len(times) - 1, 1 / frequency))
        assert times[0] <= 1 / frequency + 1e-7
    assert amounts.sum() == pytest.approx(100.0 + len(times) * (coupon / frequency if frequency else 0.0))


def test_a_coupon_that_is_due_now_is_not_paid_again() -> None:
    """On a coupon date the coupon of that date is gone, though years are not whole numbers of nanoseconds."""
    assert len(coupon_cash_flows(2.0 + 1e-9, 4.0, 2, 100.0)[0]) == 4
