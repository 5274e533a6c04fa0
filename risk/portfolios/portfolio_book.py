"""The portfolios of a partition: what each holds, what was forecast for it, and whether it has alerted."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.portfolios.alert_gate import NOT_ALERTED, AlertState
from risk.portfolios.held_instruments import Instrument
from risk.rates.bond import Bond
from schemas.currency import CurrencyCode
from schemas.risk_figure import RiskMethod

STATE_VERSION = 1
"""Goes up when a packed row changes."""

_HOLDINGS, _FORECAST = b"h", b"f"


class Forecast(msgspec.Struct, frozen=True, array_like=True):
    """What one bar was forecast to lose, in percent of the gross exposure, by level of `portfolio_value_at_risk`.

    `shares` are each held symbol's part of the risk, in the order of the symbols; they add up to 1, or are all 0.
    """

    method: RiskMethod
    gross_exposure: float
    value_at_risk_percent: tuple[float, ...]
    expected_shortfall_percent: tuple[float, ...]
    shares: tuple[float, ...]


class _HoldingsRow(msgspec.Struct, frozen=True, array_like=True):
    symbols: list[tuple[str, float]]
    valued: list[tuple[str, float]] | None
    bonds: list[Bond]
    bonds_changed: list[CurrencyCode]


class _ForecastRow(msgspec.Struct, frozen=True, array_like=True):
    forecast: Forecast | None
    market_alert: AlertState
    rate_alerts: list[tuple[str, AlertState]]


@dataclass(slots=True)
class Portfolio:
    """One portfolio. `valued` are its symbols at the last forecast, None where they are still the same."""

    name: str
    symbols: dict[str, float] = field(default_factory=dict)
    valued: dict[str, float] | None = None
    bonds: dict[Instrument, Bond] = field(default_factory=dict)
    bonds_changed: set[CurrencyCode] = field(default_factory=set)
    forecast: Forecast | None = None
    market_alert: AlertState = NOT_ALERTED
    rate_alerts: dict[str, AlertState] = field(default_factory=dict)
    # Rows of `LastBars` and slots of `JointResiduals`, by symbol in the order of their names; made when asked for.
    rows: NDArray[np.int64] | None = None
    slots: NDArray[np.int64] | None = None

    @property
    def at_forecast(self) -> dict[str, float]:
        """The symbols held when the last forecast was made."""
        return self.symbols if self.valued is None else self.valued

    def bonds_in(self, currency: CurrencyCode) -> list[Bond]:
        """Return the bonds in a currency, in the order of their terms."""
        return [self.bonds[one] for one in sorted(self.bonds) if one.name == currency]


class PortfolioBook:
    """The portfolios of a partition, by name.

    >>> book = PortfolioBook()
    >>> book.set_symbol("p", "X", 5.0)
    0.0
    >>> book.portfolios["p"].symbols, book.portfolios["p"].at_forecast
    ({'X': 5.0}, {})
    """

    def __init__(self) -> None:
        self.portfolios: dict[str, Portfolio] = {}
        self._changed_holdings: set[str] = set()
        self._changed_forecasts: set[str] = set()

    def __len__(self) -> int:
        return len(self.portfolios)

    def _portfolio(self, name: str) -> Portfolio:
        self._changed_holdings.add(name)
        return self.portfolios.setdefault(name, Portfolio(name))

    def set_symbol(self, name: str, symbol: str, quantity: float) -> float:
        """Set a holding of a symbol, 0 for none; return what it was."""
        portfolio = self._portfolio(name)
        before = portfolio.symbols.get(symbol, 0.0)
        if portfolio.valued is None:
            portfolio.valued = portfolio.symbols
            portfolio.symbols = dict(portfolio.symbols)
        portfolio.symbols.pop(symbol, None)
        if quantity != 0.0:
            portfolio.symbols[symbol] = quantity
        portfolio.rows = portfolio.slots = None
        return before

    def set_bond(self, name: str, bond: Bond) -> None:
        """Set a holding of a bond, none for a notional of 0."""
        portfolio = self._portfolio(name)
        terms = Instrument(bond.currency, bond.maturity_ns, bond.coupon_percent, bond.frequency)
        portfolio.bonds.pop(terms, None)
        if bond.notional != 0.0:
            portfolio.bonds[terms] = bond
        portfolio.bonds_changed.add(bond.currency)

    def set_forecast(self, portfolio: Portfolio, forecast: Forecast | None) -> None:
        """Note what was forecast from the present symbols."""
        if portfolio.valued is not None:
            portfolio.valued = None
            self._changed_holdings.add(portfolio.name)
        portfolio.forecast = forecast
        self._changed_forecasts.add(portfolio.name)

    def set_market_alert(self, portfolio: Portfolio, state: AlertState) -> None:
        """Note whether the portfolio has alerted for its value at risk."""
        portfolio.market_alert = state
        self._changed_forecasts.add(portfolio.name)

    def set_rate_alert(self, portfolio: Portfolio, currency: CurrencyCode, state: AlertState) -> None:
        """Note whether the portfolio has alerted for its bonds in a currency, which were valued with that."""
        portfolio.rate_alerts[currency] = state
        self._changed_forecasts.add(portfolio.name)
        if currency in portfolio.bonds_changed:
            portfolio.bonds_changed.remove(currency)
            self._changed_holdings.add(portfolio.name)

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the packed rows of the portfolios changed since the last call."""
        holdings = [self._holdings(name) for name in sorted(self._changed_holdings)]
        forecasts = [self._forecast(name) for name in sorted(self._changed_forecasts)]
        self._changed_holdings.clear()
        self._changed_forecasts.clear()
        return holdings + forecasts

    def dump(self) -> dict[bytes, bytes]:
        """Return every packed row: equal states give equal dumps."""
        names = sorted(self.portfolios)
        return dict([self._holdings(name) for name in names] + [self._forecast(name) for name in names])

    def _holdings(self, name: str) -> tuple[bytes, bytes]:
        one = self.portfolios[name]
        row = _HoldingsRow(
            sorted(one.symbols.items()),
            None if one.valued is None else sorted(one.valued.items()),
            [one.bonds[terms] for terms in sorted(one.bonds)],
            sorted(one.bonds_changed),
        )
        return _HOLDINGS + name.encode(), msgspec.msgpack.encode(row)

    def _forecast(self, name: str) -> tuple[bytes, bytes]:
        one = self.portfolios[name]
        row = _ForecastRow(one.forecast, one.market_alert, sorted(one.rate_alerts.items()))
        return _FORECAST + name.encode(), msgspec.msgpack.encode(row)

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows; raises msgspec.DecodeError for a row of another form."""
        for key, packed in rows:
            name = key[1:].decode()
            one = self.portfolios.setdefault(name, Portfolio(name))
            if key.startswith(_HOLDINGS):
                holdings = msgspec.msgpack.decode(packed, type=_HoldingsRow)
                one.symbols = dict(holdings.symbols)
                one.valued = None if holdings.valued is None else dict(holdings.valued)
                one.bonds = {
                    Instrument(bond.currency, bond.maturity_ns, bond.coupon_percent, bond.frequency): bond
                    for bond in holdings.bonds
                }
                one.bonds_changed = set(holdings.bonds_changed)
                one.rows = one.slots = None
            else:
                forecast = msgspec.msgpack.decode(packed, type=_ForecastRow)
                one.forecast, one.market_alert = forecast.forecast, forecast.market_alert
                one.rate_alerts = dict(forecast.rate_alerts)
