import csv
from pathlib import Path

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813  # its documentation names it so
from hypothesis import given
from hypothesis import strategies as st

from risk.rates.discount import discount_factors
from risk.rates.par_bootstrap import bootstrap_zero_percent, coupon_periods, par_yields

TREASURY_MONTHS = np.array([1, 3, 6, 12, 24, 36, 60, 84, 120, 240, 360])

curves = st.dictionaries(st.integers(1, 1200), st.floats(-2.0, 15.0), min_size=1, max_size=12)


def treasury_curves(shared_data: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return months and par yields of each day; a yield of zero is a tenor that was not there."""
    with (shared_data / "rates" / "ust.csv").open() as file:
        rows = [[float(one) for one in row[1:12]] for row in list(csv.reader(file))[1:]]
    return [(TREASURY_MONTHS[np.array(row) > 0.0], np.array([one for one in row if one > 0.0])) for row in rows]


def plain_par_price(months: int, par_percent: float, nodes: np.ndarray, zero_percent: np.ndarray) -> float:
    """Return the value of a par bond of 1, its coupons counted back from maturity in whole months."""
    dates = list(range(months, 0, -6))[::-1] if months >= 12 else [months]
    value, last = 0.0, 0
    for month in dates:
        log_discount = np.interp(month, [0, *nodes], [0.0, *(-zero_percent / 100 * nodes / 12)])
        value += par_percent / 100 * (month - last) / 12 * np.exp(log_discount)
        last = month
    return float(value + np.exp(log_discount))


@given(curves)
def test_every_par_bond_is_worth_par_on_its_curve(curve: dict[int, float]) -> None:
    """Whatever the tenors, the bonds that made the curve are worth par, or the bootstrap says that it failed."""
    months = np.array(sorted(curve))
    par = np.array([curve[month] for month in sorted(curve)])
    zero, fits = bootstrap_zero_percent(months, par)
    prices = [plain_par_price(int(month), one, months, zero) for month, one in zip(months, par, strict=True)]
    assert fits == bool(np.max(np.abs(np.array(prices) - 1.0)) < 1e-9)


@given(st.dictionaries(st.integers(1, 1200), st.floats(-100.0, 1000.0), min_size=1, max_size=12))
def test_no_yields_make_an_infinite_rate(curve: dict[int, float]) -> None:
    """Yields as far out as a message may hold give finite zero rates."""
    zero, _ = bootstrap_zero_percent(np.array(sorted(curve)), np.array([curve[month] for month in sorted(curve)]))
    assert np.isfinite(zero).all()


def test_impossible_yields_are_told() -> None:
    """A thousand percent for two years after nothing for one leaves no positive discount factor."""
    assert not bootstrap_zero_percent(np.array([12, 24]), np.array([0.0, 1000.0]))[1]


def test_treasury_curves_reprice_to_rounding(shared_data: Path) -> None:
    """On each day since 1990 all par bonds are worth par to 1e-10."""
    worst = 0.0
    for months, par in treasury_curves(shared_data):
        zero, fits = bootstrap_zero_percent(months, par)
        assert fits
        for month, one in zip(months.tolist(), par.tolist(), strict=True):
            times, periods = coupon_periods(month)
            factors = discount_factors(months / 12, zero, times)
            worst = max(worst, abs(one / 100 * float(np.sum(periods * factors)) + factors[-1] - 1.0))
    assert worst < 1e-10


def test_discount_factors_are_those_of_quantlib(shared_data: Path) -> None:
    """QuantLib's log-linear bootstrap of the same bonds, on a 30/360 calendar, finds the same discount factors."""
    months, par = treasury_curves(shared_data)[-1]
    today = ql.Date(1, 1, 2022)
    ql.Settings.instance().evaluationDate = today
    counter, calendar = ql.Thirty360(ql.Thirty360.BondBasis), ql.NullCalendar()
    helpers = []
    for month, one in zip(months.tolist(), par.tolist(), strict=True):
        end = calendar.advance(today, ql.Period(month, ql.Months))
        step = ql.Period(ql.Semiannual) if month >= 12 else ql.Period(month, ql.Months)
        schedule = ql.Schedule(
            today,
            end,
            step,
            calendar,
            ql.Unadjusted,
            ql.Unadjusted,
            ql.DateGeneration.Backward,
            False,
        )
        quote = ql.QuoteHandle(ql.SimpleQuote(100.0))
        helpers.append(ql.FixedRateBondHelper(quote, 0, 100.0, schedule, [one / 100], counter, ql.Unadjusted))
    curve = ql.PiecewiseLogLinearDiscount(today, helpers, counter, ql.IterativeBootstrap(1e-14))
    zero, _ = bootstrap_zero_percent(months, par)
    expected = [curve.discount(calendar.advance(today, ql.Period(month, ql.Months))) for month in months.tolist()]
    assert discount_factors(months / 12, zero, months / 12) == pytest.approx(np.array(expected), abs=2e-9)


@given(curves)
def test_par_yields_are_the_inverse_of_the_bootstrap(curve: dict[int, float]) -> None:
    """The par yields of a bootstrapped curve are those that it was made from."""
    months = np.array(sorted(curve))
    par = np.array([curve[month] for month in sorted(curve)])
    zero, fits = bootstrap_zero_percent(months, par)
    if fits:
        assert par_yields(months / 12, zero, months) == pytest.approx(par, abs=1e-7)


@pytest.mark.parametrize(
    ("months", "dates"),
    [(1, [1]), (11, [11]), (12, [6, 12]), (13, [1, 7, 13]), (18, [6, 12, 18]), (24, [6, 12, 18, 24])],
)
def test_coupons_are_counted_back_from_maturity(months: int, dates: list[int]) -> None:
    """Below a year there is one payment; from a year on one each half year, the first period maybe shorter."""
    times, periods = coupon_periods(months)
    assert times * 12 == pytest.approx(np.array(dates))
    assert periods * 12 == pytest.approx(np.diff([0, *dates]))
