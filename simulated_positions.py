"""What simulated portfolios hold, for the demonstration and `riskstream simulate`."""

from schemas.position import Position

_YEAR_NS = 365 * 86_400_000_000_000


def simulated_positions(time_ns: int) -> list[Position]:
    """Return, as held from a time on, a portfolio of two currencies and one of bonds whose value rates could cut."""
    return [
        Position(1, "carry", time_ns, 50_000.0, symbol="AUDUSD"),
        Position(1, "carry", time_ns, -40_000.0, symbol="USDJPY"),
        Position(
            1,
            "treasuries",
            time_ns,
            1e6,
            currency="USD",
            maturity_ns=time_ns + 30 * _YEAR_NS,
            coupon_percent=4.0,
            frequency=2,
        ),
    ]
