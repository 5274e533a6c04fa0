"""What each portfolio is worth, lost and may lose, whenever a step of the market closes or a curve comes."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.back_tests.back_test import BackTest, BackTests
from risk.back_tests.back_test_figures import back_test_figures, exceeded_percent
from risk.fold import Emitted
from risk.portfolios.alert_gate import NOT_ALERTED, AlertState, next_alert_state
from risk.portfolios.bond_valuation import Curve, value_bonds
from risk.portfolios.joint_residuals import JointResiduals
from risk.portfolios.last_bars import LastBars
from risk.portfolios.portfolio_alerts import interest_rate_finding, loss_finding
from risk.portfolios.portfolio_book import Portfolio, PortfolioBook
from risk.portfolios.portfolio_outputs import PortfolioOutputs
from risk.portfolios.portfolio_parameters import PortfolioParameters
from risk.portfolios.portfolio_valuation import value_portfolio
from schemas.back_test import BackTestFigure
from schemas.currency import CurrencyCode
from schemas.portfolio_risk import MarketRisk
from schemas.source import Source


@dataclass(frozen=True, slots=True)
class _Loss:
    """What a portfolio lost in a step, in percent of its gross exposure at the beginning, in all and by symbol."""

    symbols: list[str]
    by_symbol: list[float]
    percent: float


class PortfolioRisks:
    """Values the portfolios of a book from the last bars, the joint residuals and the last curves, which it keeps."""

    def __init__(
        self,
        bars: LastBars,
        joint: JointResiduals,
        book: PortfolioBook,
        back_test: BackTest,
        parameters: PortfolioParameters,
        outputs: PortfolioOutputs,
    ) -> None:
        self._bars, self._joint, self._book, self._back_test = bars, joint, book, back_test
        self._parameters = parameters
        self._outputs = outputs
        self._level_99 = parameters.levels.index(0.99)
        self._curves: dict[CurrencyCode, Curve] = {}
        self._changed: set[CurrencyCode] = set()

    def after_step(self, step: int, end_ns: int, source: Source, emitted: Emitted) -> None:
        """Value the portfolios that a step moved or that changed in it; it ended at `end_ns`, as `source` showed."""
        chosen: list[tuple[Portfolio, _Loss | None]] = []
        for name in sorted(self._book.portfolios):
            portfolio = self._book.portfolios[name]
            moved = bool(self._bars.moved(self._rows(portfolio), step).any())
            if moved or portfolio.valued is not None:
                chosen.append((portfolio, self._loss(portfolio, step)))
            for currency in sorted(portfolio.bonds_changed):
                if currency in self._curves:
                    self._value_bonds(portfolio, currency, end_ns, f"{name}@{currency}@{end_ns}@bar", source, emitted)
        tested = [(portfolio, loss) for portfolio, loss in chosen if loss is not None]
        tests = self._tests(tested)
        number = 0
        for portfolio, loss in chosen:
            figures: tuple[BackTestFigure, ...] = ()
            exceeded: tuple[float, ...] = ()
            if loss is not None:
                figures = back_test_figures(tests, number, self._parameters.levels)
                exceeded = exceeded_percent(tests, number, self._parameters.levels)
                number += 1
            self._value_symbols(portfolio, loss, figures, exceeded, end_ns, source, emitted)

    def after_curve(self, currency: CurrencyCode, curve: Curve, source: Source, emitted: Emitted) -> None:
        """Take a curve, and value the portfolios that hold bonds in its currency."""
        self._curves[currency] = curve
        self._changed.add(currency)
        as_of_ns = curve.curve_ns
        for name in sorted(self._book.portfolios):
            portfolio = self._book.portfolios[name]
            if currency in portfolio.bonds_changed or any(one.name == currency for one in portfolio.bonds):
                event_id = f"{name}@{currency}@{as_of_ns}"
                self._value_bonds(portfolio, currency, as_of_ns, event_id, source, emitted)

    def _rows(self, portfolio: Portfolio) -> NDArray[np.int64]:
        if portfolio.rows is None:
            symbols = sorted(portfolio.symbols)
            portfolio.rows = self._bars.rows(symbols)
            portfolio.slots = np.array([self._joint.slot_of[symbol] for symbol in symbols], dtype=np.int64)
        return portfolio.rows

    def _loss(self, portfolio: Portfolio, step: int) -> _Loss | None:
        """Return what was lost by what was held at the last forecast, or None where none was made or nothing moved."""
        forecast = portfolio.forecast
        if forecast is None:
            return None
        symbols = sorted(portfolio.at_forecast)
        rows = self._rows(portfolio) if portfolio.valued is None else self._bars.rows(symbols)
        if not self._bars.moved(rows, step).any():
            return None
        quantities = np.array([portfolio.at_forecast[symbol] for symbol in symbols], dtype=np.float64)
        losses = -quantities * self._bars.moves(rows, step) * (100.0 / forecast.gross_exposure)
        return _Loss(symbols, losses.tolist(), float(np.sum(losses)))

    def _tests(self, tested: list[tuple[Portfolio, _Loss]]) -> BackTests:
        forecasts = [portfolio.forecast for portfolio, _ in tested if portfolio.forecast is not None]
        shape = (len(tested), len(self._parameters.levels))
        return self._back_test.advance(
            [portfolio.name for portfolio, _ in tested],
            np.array([loss.percent for _, loss in tested], dtype=np.float64),
            np.array([one.value_at_risk_percent for one in forecasts], dtype=np.float64).reshape(shape),
            np.array([one.expected_shortfall_percent for one in forecasts], dtype=np.float64).reshape(shape),
        )

    def _value_symbols(
        self,
        portfolio: Portfolio,
        loss: _Loss | None,
        figures: tuple[BackTestFigure, ...],
        exceeded: tuple[float, ...],
        end_ns: int,
        source: Source,
        emitted: Emitted,
    ) -> None:
        event_id = f"{portfolio.name}@{end_ns}"
        in_force = portfolio.forecast
        symbols, rows = sorted(portfolio.symbols), self._rows(portfolio)
        assert portfolio.slots is not None, "made with the rows"
        found = value_portfolio(
            symbols,
            np.array([portfolio.symbols[symbol] for symbol in symbols], dtype=np.float64),
            self._bars.closes(rows),
            self._bars.deviations_percent(rows),
            portfolio.slots,
            self._joint,
            self._parameters,
        )
        risk = MarketRisk(
            value=found.value,
            gross_exposure=found.gross_exposure,
            symbols=len(symbols) - len(found.unpriced),
            unpriced=found.unpriced,
            correlation=found.correlation,
            volatility_percent=found.volatility_percent,
            risk_method=found.method,
            risk=found.risk,
            components_percent=found.components_percent,
            forecast_method=None if loss is None or in_force is None else in_force.method,
            loss_percent=None if loss is None else loss.percent,
            exceeded_percent=exceeded,
            back_tests=figures,
        )
        emitted.outputs.append(self._outputs.risk(portfolio.name, event_id, end_ns, source, risk))
        emitted.counts["valued"] += 1
        if loss is not None and in_force is not None:
            allowed = in_force.value_at_risk_percent[self._level_99]
            finding = loss_finding(loss.symbols, loss.by_symbol, in_force, allowed)
            state, alert = self._gate(portfolio.market_alert, finding.score, end_ns)
            self._book.set_market_alert(portfolio, state)
            if alert:
                emitted.outputs.append(self._outputs.alert(portfolio.name, event_id, end_ns, source, finding))
                emitted.counts["alerted"] += 1
        self._book.set_forecast(portfolio, found.forecast)

    def _value_bonds(
        self,
        portfolio: Portfolio,
        currency: CurrencyCode,
        as_of_ns: int,
        event_id: str,
        source: Source,
        emitted: Emitted,
    ) -> None:
        bonds = portfolio.bonds_in(currency)
        found = value_bonds(currency, bonds, self._curves[currency], as_of_ns)
        emitted.outputs.append(self._outputs.risk(portfolio.name, event_id, as_of_ns, source, found.figures))
        emitted.counts["valued"] += 1
        finding = interest_rate_finding(bonds, found, self._parameters.limits.interest_rate_loss_percent)
        state, alert = self._gate(portfolio.rate_alerts.get(currency, NOT_ALERTED), finding.score, as_of_ns)
        self._book.set_rate_alert(portfolio, currency, state)
        if alert:
            emitted.outputs.append(self._outputs.alert(portfolio.name, event_id, as_of_ns, source, finding))
            emitted.counts["alerted"] += 1

    def _gate(self, state: AlertState, score: float, time_ns: int) -> tuple[AlertState, bool]:
        limits = self._parameters.limits
        return next_alert_state(state, score, time_ns, cool_down_ns=limits.cool_down_ns, escalation=limits.escalation)

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return the curves changed since the last call, by currency."""
        changed = sorted(self._changed)
        self._changed.clear()
        return [(currency.encode(), msgspec.msgpack.encode(self._curves[currency])) for currency in changed]

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed curves; raises msgspec.DecodeError for a row of another form."""
        for key, row in rows:
            currency = msgspec.convert(key.decode(), CurrencyCode)
            self._curves[currency] = msgspec.msgpack.decode(row, type=Curve)
