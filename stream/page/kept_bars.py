"""The newest bars of each symbol, and the newest figures of each."""

from collections import deque

import msgspec

from risk.value_at_risk.loss import loss_percent
from schemas.back_test import BackTestFigure
from schemas.risk_figure import RiskFigure
from schemas.volatility import Volatility

CONFIDENCE_PERCENT = 99.0


class BarPoint(msgspec.Struct, frozen=True, gc=False):
    """A bar as charts show it.

    `value_at_risk_percent` was in force for this bar, and `loss_percent` is held against it; None before the first.
    """

    symbol: str
    end_ms: int
    close: float
    volatility_percent: float
    loss_percent: float
    value_at_risk_percent: float | None
    exceeded: bool


class SymbolFigures(msgspec.Struct, frozen=True, gc=False):
    """What is known of a symbol after its last bar; figures of risk are those in force for the next."""

    symbol: str
    end_ms: int
    close: float
    model: str
    distribution: str
    model_rejected: bool
    volatility_percent: float
    risk_method: str
    risk: tuple[RiskFigure, ...]
    back_tests: tuple[BackTestFigure, ...]
    zone: str | None
    recent_closes: tuple[float, ...] = ()


class KeptBars:
    """The last `bars_per_symbol` bars of the `most_symbols` symbols whose bars came last."""

    def __init__(self, most_symbols: int, bars_per_symbol: int) -> None:
        self._most_symbols = most_symbols
        self._bars_per_symbol = bars_per_symbol
        self._bars: dict[str, deque[BarPoint]] = {}
        self._last: dict[str, Volatility] = {}

    def __len__(self) -> int:
        return len(self._bars)

    def add(self, bar: Volatility) -> BarPoint:
        """Keep a bar, and return it as charts show it."""
        symbol = bar.symbol
        # Taken out and put in again: a dict keeps the order, so the first symbol is the one that is silent longest.
        bars = self._bars.pop(symbol, None)
        if bars is None:
            bars = deque(maxlen=self._bars_per_symbol)
            if len(self._bars) == self._most_symbols:
                silent = next(iter(self._bars))
                del self._bars[silent], self._last[silent]
        self._bars[symbol] = bars
        before = self._last.get(symbol)
        point = BarPoint(
            symbol,
            bar.bar_end_ns // 1_000_000,
            bar.close,
            bar.annualised_volatility_percent,
            loss_percent(bar.log_return_percent),
            None if before is None else value_at_risk(before),
            CONFIDENCE_PERCENT in bar.exceeded_percent,
        )
        bars.append(point)
        self._last[symbol] = bar
        return point

    def symbols(self) -> list[SymbolFigures]:
        """Return the figures of every symbol, by name."""
        return [self._figures(symbol) for symbol in sorted(self._last)]

    def bars(self, symbol: str) -> list[BarPoint] | None:
        """Return a symbol's bars, the oldest first; None for a symbol that is not kept."""
        bars = self._bars.get(symbol)
        return None if bars is None else list(bars)

    def _figures(self, symbol: str) -> SymbolFigures:
        last = self._last[symbol]
        figures = (one for one in last.back_tests if one.confidence_percent == CONFIDENCE_PERCENT)
        back_test = next(figures, None)
        return SymbolFigures(
            symbol,
            last.bar_end_ns // 1_000_000,
            last.close,
            last.model,
            last.distribution,
            last.model_rejected,
            last.annualised_volatility_percent,
            last.risk_method,
            last.risk_in_force,
            last.back_tests,
            None if back_test is None else back_test.zone,
            tuple(bar.close for bar in list(self._bars[symbol])[-60:]),
        )


def value_at_risk(bar: Volatility) -> float | None:
    """Return the 99 % value at risk that is in force for the bar after this one, in percent of the price."""
    for figure in bar.risk_in_force:
        if figure.confidence_percent == CONFIDENCE_PERCENT and figure.horizon_bars == 1:
            return figure.value_at_risk_percent
    return None
