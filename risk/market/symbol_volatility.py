"""The state of each symbol: its open bar, and the variance forecast of its next return."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.keyed_rows import KeyedRows
from risk.market.bars import BAR_FIELDS, add_quote
from risk.market.ewma import next_ewma_variance
from risk.market.garch import POOLED, VolatilityParameters, first_variance, next_variance
from risk.market.value_at_risk import Z_95, Z_99, loss_percent, shortfall_deviations, value_at_risk_percent

STATE_VERSION = 1
"""Goes up when the packed row or a formula changes."""

# Variances are forecasts of the next return's, in percent squared; 0 before the first return.
_ROW = np.dtype([*BAR_FIELDS, ("garch_variance", "<f8"), ("ewma_variance", "<f8")])

_FORECAST = np.dtype(
    [
        ("index", "<i8"),
        ("bar_end_ns", "<i8"),
        ("close", "<f8"),
        ("log_return_percent", "<f8"),
        ("loss_percent", "<f8"),
        ("shortfall_deviations", "<f8"),
        ("expected_value_at_risk_99_percent", "<f8"),
        ("garch_variance_percent2", "<f8"),
        ("ewma_variance_percent2", "<f8"),
        ("value_at_risk_95_percent", "<f8"),
        ("value_at_risk_99_percent", "<f8"),
        ("annualised_volatility_percent", "<f8"),
        ("exceeded_95", "?"),
        ("exceeded_99", "?"),
    ],
    align=True,
)


@dataclass(frozen=True, slots=True)
class ClosedBars:
    """Bars that closed with a return, in the order of the ticks that closed them, and what they forecast.

    `index` int64 is the position of the closing tick in its batch; `bar_end_ns` int64 is in nanoseconds since
    the Unix epoch; the rest are float64, but for the flags. `close` is a price, `loss_percent` what the bar
    lost in percent of the price before. `shortfall_deviations` says how many forecast standard deviations the
    return fell short of its mean, and `expected_value_at_risk_99_percent` is the 99 % value at risk forecast
    for this bar. Variances, values at risk (a loss is positive, in percent of the price) and the annualised
    volatility are forecasts for the next bar.
    """

    index: NDArray[np.int64]
    symbol: list[str]
    bar_end_ns: NDArray[np.int64]
    close: NDArray[np.float64]
    log_return_percent: NDArray[np.float64]
    loss_percent: NDArray[np.float64]
    shortfall_deviations: NDArray[np.float64]
    expected_value_at_risk_99_percent: NDArray[np.float64]
    garch_variance_percent2: NDArray[np.float64]
    ewma_variance_percent2: NDArray[np.float64]
    value_at_risk_95_percent: NDArray[np.float64]
    value_at_risk_99_percent: NDArray[np.float64]
    annualised_volatility_percent: NDArray[np.float64]
    exceeded_95: NDArray[np.bool_]
    exceeded_99: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.symbol)


class SymbolVolatility:
    """Bars, GARCH(1,1) and EWMA variances and normal values at risk of every symbol, advanced by quotes.

    A symbol without parameters of its own takes the pooled ones.

    >>> from risk.market.garch import GarchParameters
    >>> pooled = GarchParameters(mu=0.0, omega=0.02, alpha=0.1, beta=0.8, backcast=1.0, last_variance=1.0)
    >>> step = SymbolVolatility(
    ...     VolatilityParameters(bar_ns=10, ewma_lambda=0.94, bars_per_year=252.0, symbols={"*": pooled})
    ... )
    >>> quotes = np.array([0, 10, 20]), np.array([1.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0])
    >>> bars = step.advance(["X"] * 3, *quotes)
    >>> bars.index.tolist(), bars.bar_end_ns.tolist(), bars.garch_variance_percent2.round(12).tolist()
    ([2], [20], [0.756])
    """

    def __init__(self, parameters: VolatilityParameters) -> None:
        self._parameters = parameters
        self._symbol_numbers = {symbol: at for at, symbol in enumerate(parameters.symbols)}
        self._garch = np.array(
            [(one.mu, one.omega, one.alpha, one.beta, one.backcast) for one in parameters.symbols.values()]
        )
        self._rows = KeyedRows(_ROW)

    def __len__(self) -> int:
        return len(self._rows)

    def advance(
        self,
        symbol: Sequence[str],
        event_time_ns: NDArray[np.int64],
        bid: NDArray[np.float64],
        ask: NDArray[np.float64],
    ) -> ClosedBars:
        """Take quotes, each column of length n, in the order of the log; return the bars that they closed."""
        count = len(symbol)
        number_of, pooled = self._symbol_numbers.get, self._symbol_numbers[POOLED]
        numbers = np.fromiter((number_of(one, pooled) for one in symbol), dtype=np.int64, count=count)
        rows = self._rows.rows(symbol)
        forecasts = np.empty(count, dtype=_FORECAST)
        closed = _advance(
            self._rows.table,
            rows,
            event_time_ns,
            bid,
            ask,
            self._garch,
            numbers,
            self._parameters.bar_ns,
            self._parameters.ewma_lambda,
            self._parameters.bars_per_year,
            forecasts,
        )
        columns = {name: forecasts[name][:closed] for name in _FORECAST.names or ()}
        return ClosedBars(symbol=[symbol[at] for at in columns["index"].tolist()], **columns)

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return (key, packed row) of the symbols changed since the last call, which are then unchanged."""
        return self._rows.take_changed()

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows; raises ValueError for a row of another form."""
        self._rows.load(rows)

    def dump(self) -> dict[bytes, bytes]:
        """Return every symbol's packed row: equal states give equal dumps."""
        return self._rows.dump()


@njit(cache=True)
def _advance(
    table: NDArray[np.void],
    rows: NDArray[np.int64],
    event_time_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    garch: NDArray[np.float64],
    numbers: NDArray[np.int64],
    bar_ns: int,
    ewma_lambda: float,
    bars_per_year: float,
    forecasts: NDArray[np.void],
) -> int:
    """Advance the table by quotes and fill in a forecast for each bar that closed; return how many did."""
    closed = 0
    for at in range(len(rows)):
        end_ns, close, log_return = add_quote(table, rows[at], event_time_ns[at], bid[at], ask[at], bar_ns)
        if end_ns == 0:
            continue
        row = table[rows[at]]
        mu, omega, alpha, beta, backcast = garch[numbers[at]]
        if row["garch_variance"] == 0.0:
            row["garch_variance"] = first_variance(omega, alpha, beta, backcast)
            row["ewma_variance"] = backcast
        expected = row["garch_variance"]
        variance = next_variance(expected, log_return - mu, omega, alpha, beta)
        row["garch_variance"] = variance
        row["ewma_variance"] = next_ewma_variance(row["ewma_variance"], log_return, ewma_lambda)
        forecast = forecasts[closed]
        closed += 1
        forecast["index"] = at
        forecast["bar_end_ns"] = end_ns
        forecast["close"] = close
        forecast["log_return_percent"] = log_return
        forecast["loss_percent"] = loss_percent(log_return)
        shortfall = shortfall_deviations(log_return, mu, expected)
        forecast["shortfall_deviations"] = shortfall
        forecast["exceeded_95"] = shortfall > Z_95
        forecast["exceeded_99"] = shortfall > Z_99
        forecast["expected_value_at_risk_99_percent"] = value_at_risk_percent(mu, expected, Z_99)
        forecast["garch_variance_percent2"] = variance
        forecast["ewma_variance_percent2"] = row["ewma_variance"]
        forecast["value_at_risk_95_percent"] = value_at_risk_percent(mu, variance, Z_95)
        forecast["value_at_risk_99_percent"] = value_at_risk_percent(mu, variance, Z_99)
        forecast["annualised_volatility_percent"] = np.sqrt(variance * bars_per_year)
    return closed
