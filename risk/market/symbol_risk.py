"""From a closed bar to its volatility, what may be lost, how such forecasts have done, and what comes next.

The chain of steps that a bar goes through, each with a state of its own by symbol. The stream, the training that
chooses among methods, the report and the golden bars of a bundle all call this.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.back_tests import back_test
from risk.back_tests.back_test import BackTest, BackTests
from risk.bars.closed_bars import ClosedBars
from risk.forecasts import forecast_step
from risk.forecasts.forecast_step import BarForecasts, Forecasts
from risk.keyed_rows import KeyedRows
from risk.market.market_parameters import MarketParameters
from risk.value_at_risk import recalibration, value_at_risk_step
from risk.value_at_risk.loss import loss_percent
from risk.value_at_risk.recalibration import Recalibration
from risk.value_at_risk.value_at_risk_step import METHODS, ValueAtRisk, ValuesAtRisk
from risk.volatility import conditional_variance, residual_tests
from risk.volatility.conditional_variance import ConditionalVariance, ConditionalVariances
from risk.volatility.residual_tests import ResidualTests, ResidualVerdicts
from risk.volatility.volatility_model import VolatilityModel

Columns = TypeVar("Columns")


@dataclass(frozen=True, slots=True)
class BarRisks:
    """What follows from each of n closed bars, in their order.

    `loss_percent` float64[n] is what the bar lost, `expected_value_at_risk_percent` float64[n, levels] what was in
    force for it, NaN before the first forecast, and `next_value_at_risk_percent` and `next_expected_shortfall_percent`
    likewise what is for the next bar: the forecast of the chosen method, as its exceedances have taught it. `risk` has
    all methods and horizons as they forecast. `parameters_from_ns` int64[n] is the event time of re-estimated
    parameters, 0 for those of the bundle.
    """

    loss_percent: NDArray[np.float64]
    expected_value_at_risk_percent: NDArray[np.float64]
    next_value_at_risk_percent: NDArray[np.float64]
    next_expected_shortfall_percent: NDArray[np.float64]
    parameters_from_ns: NDArray[np.int64]
    variances: ConditionalVariances
    verdicts: ResidualVerdicts
    risk: ValuesAtRisk
    back_tests: BackTests
    forecasts: BarForecasts


class SymbolRisk:
    """Advances every symbol by its closed bars.

    Raises as the steps do for parameters that do not fit together.
    """

    def __init__(self, parameters: MarketParameters, graphs: Mapping[str, bytes]) -> None:
        rules = parameters.value_at_risk
        self.levels, self.horizons_bars, self.method = rules.levels, rules.horizons_bars, rules.method
        self._method = METHODS.index(rules.method)
        self._one_bar = rules.horizons_bars.index(1)
        self._variance = ConditionalVariance(parameters.volatility)
        self._tests = ResidualTests()
        self._value_at_risk = ValueAtRisk(
            {symbol: model.distribution for symbol, model in parameters.volatility.symbols.items()},
            rules.levels,
            rules.horizons_bars,
        )
        self._recalibration = Recalibration(rules.levels, rules.learning_rate)
        self._back_test = BackTest(rules.levels)
        self._forecasts = Forecasts(parameters.forecasters, graphs)
        models = msgspec.msgpack.encode(parameters.volatility, order="deterministic")
        self._models_hash = int.from_bytes(hashlib.blake2b(models, digest_size=8).digest(), "little")
        # Since when a symbol has re-estimated parameters, and which models they took the place of.
        self._refits = KeyedRows(np.dtype([("parameters_from_ns", "<i8"), ("models_hash", "<u8")]))

    @property
    def forecasters(self) -> tuple[str, ...]:
        """The names of the forecasters, in the order of their columns."""
        return self._forecasts.models

    @property
    def state_version(self) -> str:
        """Names the form of the rows, which depends on how many levels there are."""
        steps = (conditional_variance, residual_tests, value_at_risk_step, recalibration, back_test, forecast_step)
        versions = ".".join(str(step.STATE_VERSION) for step in steps)
        return f"{versions}-{len(self.levels)}"

    def __len__(self) -> int:
        return len(self._refits)

    def model(self, symbol: str) -> VolatilityModel:
        """Return the volatility model that a symbol goes by."""
        return self._variance.model(symbol)

    def install(self, symbol: str, model: VolatilityModel, event_time_ns: int) -> None:
        """Let a symbol go on with re-estimated parameters, from its next bar on.

        What was forecast for that bar stays: the back-test is of what was published. Raises ValueError for a model that
        looks further back than those of the bundle.
        """
        self._variance.install(symbol, model)
        self._value_at_risk.install(symbol, model.distribution)
        self._tests.forget(symbol)
        (row,) = self._refits.rows([symbol])
        self._refits.table[row]["parameters_from_ns"] = event_time_ns
        self._refits.table[row]["models_hash"] = self._models_hash

    def advance(self, bars: ClosedBars) -> BarRisks:
        """Take closed bars in the order of the log; return what follows from each."""
        # A simulation starts from the state after its bar, so a symbol's next bar has to wait until it is done.
        turns = [
            (chosen, self._advance_once(bars, chosen)) for chosen in _turns(bars.symbol) or [np.zeros(0, np.int64)]
        ]
        if len(turns) == 1:
            return turns[0][1]
        order = np.argsort(np.concatenate([chosen for chosen, _ in turns]), kind="stable")
        return _in_order([found for _, found in turns], order)

    def _advance_once(self, bars: ClosedBars, chosen: NDArray[np.int64]) -> BarRisks:
        """Take some of the bars, no two of one symbol."""
        symbol = [bars.symbol[at] for at in chosen.tolist()]
        log_return, close = bars.log_return_percent[chosen], bars.close[chosen]
        variances = self._variance.advance(symbol, log_return, bars.realised_variance_percent2[chosen])
        residuals = variances.standardised_residual
        verdicts = self._tests.advance(symbol, residuals)
        paths = self._variance.variance_path(symbol, max(self.horizons_bars))
        ends = np.array(self.horizons_bars, dtype=np.int64) - 1
        risk = self._value_at_risk.advance(
            symbol,
            residuals,
            variances.mean_percent,
            np.ascontiguousarray(np.cumsum(paths, axis=1)[:, ends]),
            self._variance.simulate,
        )
        losses = np.array([loss_percent(one) for one in log_return.tolist()], dtype=np.float64)
        in_force = self._recalibration.advance(
            symbol,
            losses,
            np.ascontiguousarray(risk.value_at_risk_percent[:, self._method, :, self._one_bar]),
            np.ascontiguousarray(risk.expected_shortfall_percent[:, self._method, :, self._one_bar]),
        )
        back_tests = self._back_test.advance(
            symbol, losses, in_force.value_at_risk_percent, in_force.expected_shortfall_percent
        )
        # New symbols may put another table in place of this one: their rows are found first.
        refits = self._refits.rows(symbol)
        return BarRisks(
            loss_percent=losses,
            expected_value_at_risk_percent=in_force.value_at_risk_percent,
            next_value_at_risk_percent=in_force.next_value_at_risk_percent,
            next_expected_shortfall_percent=in_force.next_expected_shortfall_percent,
            parameters_from_ns=self._refits.table["parameters_from_ns"][refits],
            variances=variances,
            verdicts=verdicts,
            risk=risk,
            back_tests=back_tests,
            forecasts=self._forecasts.advance(symbol, 100.0 * np.log(close), log_return),
        )

    def _steps(self) -> dict[bytes, Any]:
        return {
            b"v": self._variance,
            b"t": self._tests,
            b"r": self._value_at_risk,
            b"c": self._recalibration,
            b"b": self._back_test,
            b"f": self._forecasts,
            b"i": self._refits,
        }

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return (key, packed row) of what changed since the last call; keys begin with the step's letter."""
        return [(name + key, row) for name, step in self._steps().items() for key, row in step.take_changed()]

    def dump(self) -> dict[bytes, bytes]:
        """Return every packed row: equal states give equal dumps."""
        return {name + key: row for name, step in self._steps().items() for key, row in step.dump().items()}

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows; raises ValueError for a row of another form.

        Parameters that took the place of another bundle's models are dropped: this one's are newer.
        """
        by_step: dict[bytes, list[tuple[bytes, bytes]]] = {name: [] for name in self._steps()}
        for key, row in rows:
            by_step[key[:1]].append((key[1:], row))
        for name, step in self._steps().items():
            step.load(by_step[name])
        for key, packed in by_step[b"i"]:
            symbol, state = key.decode(), np.frombuffer(packed, dtype=self._refits.table.dtype)[0]
            if state["parameters_from_ns"] == 0:
                continue
            if state["models_hash"] == self._models_hash:
                self._value_at_risk.install(symbol, self._variance.model(symbol).distribution)
            else:
                self._variance.uninstall(symbol)
                (row,) = self._refits.rows([symbol])
                self._refits.table[row]["parameters_from_ns"] = 0


def _turns(symbols: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return the rows of each symbol's first bar, then of each one's second, and so on."""
    seen: Counter[str] = Counter()
    turns: list[list[int]] = []
    for at, symbol in enumerate(symbols):
        turn = seen[symbol]
        seen[symbol] += 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(at)
    return [np.array(turn, dtype=np.int64) for turn in turns]


def _in_order(parts: Sequence[Columns], order: NDArray[np.int64]) -> Columns:
    """Return the columns of the parts, one after the other, in another order; columns may hold columns."""
    joined: dict[str, Any] = {}
    for field in fields(parts[0]):  # type: ignore[arg-type]  # every Columns is a dataclass
        values = [getattr(one, field.name) for one in parts]
        if isinstance(values[0], np.ndarray):
            joined[field.name] = np.concatenate(values)[order]
        elif isinstance(values[0], list):
            whole = [item for one in values for item in one]
            joined[field.name] = [whole[at] for at in order.tolist()]
        else:
            joined[field.name] = _in_order(values, order)
    return type(parts[0])(**joined)
