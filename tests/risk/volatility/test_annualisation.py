import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.volatility.annualisation import annualised_volatility_percent
from risk.volatility.trading_year import TradingYear, bars_per_year

MINUTE_NS = 60_000_000_000
DAY_NS = 1_440 * MINUTE_NS


@pytest.mark.parametrize(
    ("bar_ns", "year", "expected"),
    [
        (DAY_NS, "us_exchange", 252),
        (MINUTE_NS, "us_exchange", 252 * 390),
        (5 * MINUTE_NS, "us_exchange", 252 * 78),
        (MINUTE_NS, "foreign_exchange", 260 * 1_440),
        (MINUTE_NS, "always_open", 525_600),
        (7 * DAY_NS, "always_open", 365 / 7),
        (12 * 60 * MINUTE_NS, "us_exchange", 252),
    ],
)
def test_a_year_has_the_bars_of_its_sessions(bar_ns: int, year: TradingYear, expected: float) -> None:
    """A bar that outlasts a session is one of that day's, and one of some days is their part of the year."""
    assert bars_per_year(bar_ns, year) == pytest.approx(expected)


@given(variance=st.floats(1e-6, 1e6), bars=st.integers(1, 1_000))
def test_a_year_of_bars_has_the_sum_of_their_variances(variance: float, bars: int) -> None:
    """The squared volatility of the year is the variance of one bar times their number."""
    assert annualised_volatility_percent(variance, bars) ** 2 == pytest.approx(variance * bars)


def test_a_bar_without_length_is_refused() -> None:
    """There is no year of bars that last no time."""
    with pytest.raises(ValueError, match="bar_ns 0 must be positive"):
        bars_per_year(0, "us_exchange")
