"""The conditional variance of every symbol, bar by bar: the step that goes on from a fitted volatility model."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep
from risk.volatility.ewma import next_ewma_variance
from risk.volatility.model_table import ModelTable
from risk.volatility.packed_model import BACKCAST, FREEDOM, MEAN, SKEW, unpacked_model
from risk.volatility.standard_innovations import standard_innovations
from risk.volatility.variance_path import expected_variances, has_formula, simulated
from risk.volatility.variance_recursion import LEAST_VARIANCE_PERCENT2, MOST_VARIANCE_PERCENT2, next_variance
from risk.volatility.variance_row import row_dtype, row_for, width_numbers
from risk.volatility.volatility_model import RISKMETRICS_DECAY, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels

STATE_VERSION = 1
"""Goes up when the packed row or a formula changes."""


@dataclass(frozen=True, slots=True)
class ConditionalVariances:
    """What each bar had been forecast, and what it forecasts; float64[n] each.

    `mean_percent` and `variance_percent2` were in force for the bar; `residual_percent` is its return less the mean,
    `standardised_residual` that over the deviation. `next_variance_percent2` is the forecast for the bar to come, and
    `ewma_next_variance_percent2` that of RiskMetrics, beside the model.
    """

    mean_percent: NDArray[np.float64]
    variance_percent2: NDArray[np.float64]
    residual_percent: NDArray[np.float64]
    standardised_residual: NDArray[np.float64]
    next_variance_percent2: NDArray[np.float64]
    ewma_next_variance_percent2: NDArray[np.float64]


class ConditionalVariance(KeyedStep):
    """The last residuals and variances of every symbol, advanced by its bars' returns.

    A symbol begins where the training of its model ended, or else from the model's backcast. One without a model of
    its own takes the pooled one. Rows are as long as the models look back.

    >>> from risk.volatility.volatility_model import Garch
    >>> pooled = Garch(omega=0.1, alpha=(0.1,), beta=(0.8,), backcast_percent2=1.0)
    >>> step = ConditionalVariance(VolatilityModels({"*": pooled}))
    >>> bars = step.advance(["X", "X"], np.array([2.0, 0.0]), np.zeros(2))
    >>> bars.variance_percent2.round(12).tolist(), bars.next_variance_percent2.round(12).tolist()
    ([1.0, 1.3], [1.3, 1.14])
    >>> step.variance_path(["X"], 3).round(12).tolist()
    [[1.14, 1.126, 1.1134]]
    """

    def __init__(self, models: VolatilityModels) -> None:
        self._models = ModelTable(models)
        self._rows = KeyedRows(row_dtype(self._models.widths))

    def advance(
        self,
        symbol: Sequence[str],
        log_return_percent: NDArray[np.float64],
        realised_variance_percent2: NDArray[np.float64],
    ) -> ConditionalVariances:
        """Take closed bars, each column of length n, in the order of the log; return what each had been forecast.

        `realised_variance_percent2` is looked at by HAR alone.
        """
        rows, numbers = self._find(symbol)
        columns = np.empty((6, len(rows)))
        table = self._rows.table
        # One array a field: their types, unlike that of the row, are the same for every set of models.
        _advance(
            table["seen"],
            table["next_variance"],
            table["ewma_variance"],
            table["residuals"],
            table["variances"],
            table["realised"],
            rows,
            self._models.packed,
            self._models.weights,
            numbers,
            log_return_percent,
            realised_variance_percent2,
            columns,
        )
        return ConditionalVariances(*columns)

    def variance_path(self, symbols: Sequence[str], horizon_bars: int) -> NDArray[np.float64]:
        """Return the expected variance of each of the next bars, float64[n, horizon_bars], in percent squared.

        EWMA, GARCH, GJR-GARCH, FIGARCH and HAR have formulas, those of `arch` for its analytic forecasts, which take
        residuals to be negative half of the time. EGARCH, APARCH and other powers have none beyond the first bar: their
        expectation is the mean along the fixed innovations of `risk.volatility.standard_innovations`, of the model's
        own distribution. A symbol not seen yet begins. Raises ValueError for a horizon below 1.
        """
        if horizon_bars < 1:
            raise ValueError(f"horizon_bars {horizon_bars} must be at least 1")
        rows, numbers = self._find(symbols)
        paths = np.empty((len(rows), horizon_bars))
        for at, (row, number) in enumerate(zip(rows.tolist(), numbers.tolist(), strict=True)):
            model, weights = self._models.packed[number], self._models.weights[number]
            if has_formula(model) or horizon_bars == 1:
                paths[at] = expected_variances(model, weights, *self._present(row), horizon_bars)
            else:
                innovations = standard_innovations(float(model[FREEDOM]), float(model[SKEW]), horizon_bars)
                paths[at] = simulated(model, weights, *self._present(row), innovations)[1]
        return paths

    def simulate(self, symbols: Sequence[str], innovations: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the total log return in percent along each path, float64[n, P], from the present state.

        `innovations` float64[n, P, h] are standardised residuals of the next h bars. A symbol not seen yet begins.
        """
        rows, numbers = self._find(symbols)
        totals = np.empty(innovations.shape[:2])
        for at, (row, number) in enumerate(zip(rows.tolist(), numbers.tolist(), strict=True)):
            model, weights = self._models.packed[number], self._models.weights[number]
            totals[at] = simulated(model, weights, *self._present(row), innovations[at])[0]
        return totals

    def install(self, symbol: str, model: VolatilityModel) -> None:
        """Let a symbol go on with another model, from the bar to come: its last bars stay, and so do the others.

        The model is part of the state from here on. Its `start` counts only where the symbol has not been seen. Raises
        ValueError for a model that looks further back than those which the step was made with.
        """
        self._models.install(symbol, model)
        rows, numbers = self._find([symbol])
        row, number = int(rows[0]), int(numbers[0])
        self._rows.table[row]["installed"] = self._models.packed[number]
        self._forecast(row, number)

    def uninstall(self, symbol: str) -> None:
        """Let a symbol go by the model that the step was given again, from the bar to come."""
        (row,) = self._rows.rows([symbol]).tolist()
        self._rows.table[row]["installed"] = 0.0
        self._models.restore(symbol, self._rows.table[row]["installed"])
        (number,) = self._models.numbers([symbol]).tolist()
        self._forecast(row, number)

    def model(self, symbol: str) -> VolatilityModel:
        """Return the model that a symbol goes by, without its start."""
        return unpacked_model(self._models.packed[self._models.numbers([symbol])[0]])

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up packed rows, also those that were written for models which look back another number of bars.

        Raises ValueError for a row of another form.
        """
        pairs = [(key, row_for(row, self._models.widths)) for key, row in rows]
        self._rows.load(pairs)
        for key, row in pairs:
            self._models.restore(key.decode(), np.frombuffer(row, dtype=self._rows.table.dtype)["installed"][0])

    def _find(self, symbols: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the row of each symbol, begun if it is new, and the number of its model."""
        rows, numbers = self._rows.rows(symbols), self._models.numbers(symbols)
        for at in np.flatnonzero(self._rows.table["next_variance"][rows] == 0.0).tolist():
            if self._rows.table["next_variance"][rows[at]] == 0.0:
                self._begin(symbols[at], int(rows[at]), int(numbers[at]))
        return rows, numbers

    def _present(self, row: int) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], int, float]:
        """Return a row's rings, how many bars they have seen and the forecast for the bar to come."""
        state = self._rows.table[row]
        rings = state["residuals"], state["variances"], state["realised"]
        return *rings, int(state["seen"]), float(state["next_variance"])

    def _begin(self, symbol: str, row: int, number: int) -> None:
        """Let a symbol begin at the end of its model's training, or from the backcast."""
        start = self._models.start(symbol)
        state = self._rows.table[row]
        state["widths"] = width_numbers(self._models.widths)
        state["ewma_variance"] = self._models.packed[number][BACKCAST]
        if start is not None:
            squares = tuple(one * one for one in start.residuals_percent)
            past = start.residuals_percent, start.variances_percent2, start.realised_variances_percent2 or squares
            for name, values in zip(("residuals", "variances", "realised"), past, strict=True):
                ring = state[name]
                for at, one in enumerate(values):
                    ring[at % len(ring)] = one
            state["seen"] = len(start.residuals_percent)
            state["ewma_variance"] = start.ewma_variance_percent2
        self._forecast(row, number)

    def _forecast(self, row: int, number: int) -> None:
        """Forecast the bar to come of a row."""
        model, weights = self._models.packed[number], self._models.weights[number]
        self._rows.table["next_variance"][row] = next_variance(model, weights, *self._present(row)[:-1])


@njit(cache=True)
def _advance(
    seen: NDArray[np.int64],
    next_variances: NDArray[np.float64],
    ewma_variances: NDArray[np.float64],
    residuals: NDArray[np.float64],
    variances: NDArray[np.float64],
    realised: NDArray[np.float64],
    rows: NDArray[np.int64],
    models: NDArray[np.float64],
    weights: NDArray[np.float64],
    numbers: NDArray[np.int64],
    log_return_percent: NDArray[np.float64],
    realised_variance_percent2: NDArray[np.float64],
    columns: NDArray[np.float64],
) -> None:
    """Advance the fields of the table by bars and fill in the columns of ConditionalVariances."""
    for at in range(len(rows)):
        row, model = rows[at], models[numbers[at]]
        variance, place = next_variances[row], seen[row]
        residual = log_return_percent[at] - model[MEAN]
        residuals[row, place % residuals.shape[1]] = residual
        variances[row, place % variances.shape[1]] = variance
        realised[row, place % realised.shape[1]] = min(realised_variance_percent2[at], MOST_VARIANCE_PERCENT2)
        seen[row] = place + 1
        next_variances[row] = next_variance(
            model, weights[numbers[at]], residuals[row], variances[row], realised[row], place + 1
        )
        ewma = next_ewma_variance(ewma_variances[row], log_return_percent[at], RISKMETRICS_DECAY)
        ewma_variances[row] = max(ewma, LEAST_VARIANCE_PERCENT2)
        columns[0, at] = model[MEAN]
        columns[1, at] = variance
        columns[2, at] = residual
        columns[3, at] = residual / math.sqrt(variance)
        columns[4, at] = next_variances[row]
        columns[5, at] = ewma_variances[row]
