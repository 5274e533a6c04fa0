"""What `send` puts on topics is what workers read."""

from pathlib import Path

from history_messages import position_messages, rate_messages
from risk.portfolios.decode_positions import decode_positions
from risk.rates.decode_rates import decode_rates
from training.market.position_history import read_positions
from training.rates.treasury import CLOSE_NS, read_par_curves

MONDAY_NS = 1_767_571_200_000_000_000
"""2026-01-05."""


def test_rates_are_read_again(tmp_path: Path) -> None:
    """A table of par yields becomes one point a tenor, keyed by its currency, that a worker takes as it stands."""
    path = tmp_path / "curves.csv"
    path.write_text("date,3M,10Y\n2026-01-06,4.1,\n2026-01-05,4.0,4.5\n")
    keys, values = zip(*rate_messages(read_par_curves(path, "USD")), strict=True)
    columns, rejections = decode_rates([key.encode() for key in keys], values)
    assert rejections == []
    assert columns.currency == list(keys) == ["USD"] * 3
    assert columns.tenor_months.tolist() == [3, 120, 3]
    assert columns.rate_percent.tolist() == [4.0, 4.5, 4.1]
    assert columns.event_time_ns.tolist() == [MONDAY_NS + CLOSE_NS] * 2 + [MONDAY_NS + 86_400 * 10**9 + CLOSE_NS]


def test_positions_are_read_again(tmp_path: Path) -> None:
    """Symbols and bonds become columns again, keyed by their portfolio, in order of time."""
    path = tmp_path / "holdings.csv"
    path.write_text(
        "portfolio,event_time,quantity,symbol,currency,maturity,coupon_percent,frequency\n"
        "desk,2026-01-06,1000,,USD,2036-01-05,4.25,2\n"
        "fund,2026-01-05,-2.5,EURUSD,,,,\n"
    )
    keys, values = zip(*position_messages(read_positions(path, {})), strict=True)
    columns, rejections = decode_positions([key.encode() for key in keys], values)
    assert rejections == []
    assert columns.portfolio == list(keys) == ["fund", "desk"]
    assert columns.name == ["EURUSD", "USD"]
    assert columns.quantity.tolist() == [-2.5, 1000.0]
    assert columns.is_bond.tolist() == [False, True]
    assert columns.coupon_percent.tolist() == [0.0, 4.25]
    assert columns.frequency.tolist() == [0.0, 2.0]
    assert columns.event_time_ns[0] == MONDAY_NS
