"""How many bars of a length a year has, by when its market trades."""

from typing import Literal

TradingYear = Literal["us_exchange", "foreign_exchange", "always_open"]

TRADING_YEARS: dict[TradingYear, tuple[float, float]] = {
    "us_exchange": (252.0, 6.5),
    "foreign_exchange": (260.0, 24.0),
    "always_open": (365.0, 24.0),
}
"""Days that a year trades and hours of each: exchanges in the United States, currencies on weekdays, and markets that
never close, such as those of cryptocurrencies."""

_HOUR_NS = 3_600e9
_DAY_NS = 24 * _HOUR_NS


def bars_per_year(bar_ns: int, year: TradingYear) -> float:
    """Return how many bars of a length a year has, by a convention for what it trades.

    Variance is taken to grow with trading time, so a bar is a part of the session, or of the year's trading days if it
    is as long as a day. Raises ValueError for a bar without length.

    >>> bars_per_year(60_000_000_000, "us_exchange"), bars_per_year(86_400_000_000_000, "us_exchange")
    (98280.0, 252.0)
    """
    if bar_ns <= 0:
        raise ValueError(f"bar_ns {bar_ns} must be positive")
    days, hours = TRADING_YEARS[year]
    if bar_ns >= _DAY_NS:
        return days * _DAY_NS / bar_ns
    session_ns = hours * _HOUR_NS
    return days * session_ns / min(bar_ns, session_ns)
