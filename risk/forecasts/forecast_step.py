"""The forecasts of every key after each closed bar, and how good they have been: a step of state by key.

A key is a symbol, a tenor or a factor of a curve: whatever has a level that changes from bar to bar. A forecast made at
one bar for the next is scored when the next one comes, before anything else is done with it; it cannot know it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from risk.forecasts.forecast_skill import FIGURES, SUMS, Z_90, score_forecast, skill_figures
from risk.forecasts.forecaster import Forecasters
from risk.forecasts.key_rounds import rounds
from risk.forecasts.open_forecasters import entry_numbers, models_hash, open_forecasters
from risk.forecasts.running_deviation import START_CHANGES, add_change, deviation_of
from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep
from risk.market.pooled import POOLED

STATE_VERSION = 1
"""Goes up when the packed row or a formula changes."""


@dataclass(frozen=True, slots=True)
class BarForecasts:
    """What the models say after each of n bars: arrays over bars, M models and H horizons, all finite.

    `forecast`, `low_90` and `high_90` float64[n, M, H] are changes from the bar's level that are expected over the next
    1 ... H bars, and the ends of the interval that holds 90 % of them, in the units of the change. `change` and
    `previous_forecast` float64[n] and [n, M] are what came and what was forecast of it one bar before (0 at a key's
    first bar). The skill float64[n, M] of one-bar forecasts is as of this bar, its own score included: `scored_bars`
    is how many bars it weighs, 0 where none was scored yet; see `risk.forecasts.forecast_skill`.
    """

    key: list[str]
    change: NDArray[np.float64]
    previous_forecast: NDArray[np.float64]
    forecast: NDArray[np.float64]
    low_90: NDArray[np.float64]
    high_90: NDArray[np.float64]
    scored_bars: NDArray[np.float64]
    mase: NDArray[np.float64]
    rmse: NDArray[np.float64]
    hit_rate: NDArray[np.float64]
    coverage_90: NDArray[np.float64]
    quantile_loss: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.key)


class Forecasts(KeyedStep):
    """The models' state and skill by key, advanced by the level of each closed bar and its change.

    `files` holds the graphs' bytes by the name of their file. `models` names the M models in the order of the outputs.
    Raises KeyError for a file that is missing and ModelError for a graph that is not as its entry says. A row stored
    under other models is of no use: `load` leaves it out, and its key starts anew.
    """

    def __init__(self, parameters: Forecasters, files: Mapping[str, bytes]) -> None:
        self._parameters = parameters
        self.models: tuple[str, ...] = parameters.models()
        self._entries = open_forecasters(parameters, files)
        self._numbers = entry_numbers(parameters)
        width = max((one.graph.state_size for one in self._entries), default=1)
        count = len(self.models)
        self._models_hash = models_hash(parameters, files)
        self._rows = KeyedRows(
            np.dtype(
                [
                    ("models_hash", "<u8"),
                    ("bars", "<i8"),
                    ("weight", "<f8"),
                    ("square", "<f8"),
                    ("state", "<f8", (count, width)),
                    ("forecast", "<f8", (count,)),
                    ("deviation", "<f8", (count,)),
                    ("sums", "<f8", (count, SUMS)),
                ]
            )
        )
        self._keep = 0.5 ** (1.0 / parameters.skill_half_life_bars)

    def advance(self, key: Sequence[str], level: NDArray[np.float64], change: NDArray[np.float64]) -> BarForecasts:
        """Take closed bars, each column of length n, in the order of the log; return what follows from each.

        `level` is 100 times the log of a price, or a yield; `change` is that from the key's bar before, so a log return
        in percent, or a move of the yield in the yield's own unit.
        """
        count, models, horizon = len(key), len(self.models), self._parameters.horizon_bars
        made = _Made(
            previous=np.zeros((count, models)),
            figures=np.zeros((count, models, FIGURES)),
            forecast=np.zeros((count, models, horizon)),
            deviation=np.zeros((count, models, horizon)),
        )
        rows = self._rows.rows(key)
        pooled = self._numbers[POOLED]
        numbers = np.array([self._numbers.get(one, pooled) for one in key], dtype=np.int64).reshape(count, models)
        deviations = self._parameters.deviations
        typical = deviations[POOLED]
        starts = np.fromiter((deviations.get(one, typical) for one in key), dtype=np.float64, count=count)
        for bars in rounds(rows):
            self._advance_once(bars, rows[bars], numbers[bars], starts[bars], level[bars], change[bars], made)
        width = Z_90 * made.deviation
        # The order of the figures is that of the fields.
        skill = (made.figures[:, :, number] for number in range(FIGURES))
        return BarForecasts(
            list(key), change, made.previous, made.forecast, made.forecast - width, made.forecast + width, *skill
        )

    def load(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up the packed rows of these very models; raises ValueError for a row of another form."""
        mine = self._models_hash.to_bytes(8, "little")
        self._rows.load((key, row) for key, row in rows if row[:8] == mine)

    def check_batch_invariance(self, level: NDArray[np.float64], change: NDArray[np.float64]) -> None:
        """Raise ModelError unless every graph gives a row the same bits in any batch, tried on bars float64[n]."""
        for one in self._entries:
            value = level if one.spec.value == "level" else change
            states = np.repeat(one.start[None, :], len(value), axis=0) + value[:, None]
            one.graph.check_batch_invariance(states, value[:, None])

    def _advance_once(
        self,
        bars: NDArray[np.int64],
        rows: NDArray[np.int64],
        numbers: NDArray[np.int64],
        starts: NDArray[np.float64],
        level: NDArray[np.float64],
        change: NDArray[np.float64],
        made: "_Made",
    ) -> None:
        """Take bars of as many keys, one of each."""
        table = self._rows.table
        self._begin(rows[table["bars"][rows] == 0], numbers[table["bars"][rows] == 0])
        scales = np.empty(len(rows))
        _score(
            table["bars"], table["weight"], table["square"], table["forecast"], table["deviation"], table["sums"],
            rows, bars, starts, change, self._parameters.deviation_decay, self._keep,
            scales, made.previous, made.figures,
        )  # fmt: skip
        for model in range(len(self.models)):
            for number in np.unique(numbers[:, model]).tolist():
                one = self._entries[number]
                at = np.flatnonzero(numbers[:, model] == number)
                scale = scales[at] if one.spec.scaling == "running" else np.ones(len(at))
                value = (level if one.spec.value == "level" else change)[at] / scale
                size = one.graph.state_size
                states, forecast, deviation = one.graph.run(table["state"][rows[at], model, :size], value[:, None])
                table["state"][rows[at], model, :size] = states
                made.forecast[bars[at], model] = forecast * scale[:, None]
                made.deviation[bars[at], model] = deviation * scale[:, None]
        table["forecast"][rows] = made.forecast[bars, :, 0]
        table["deviation"][rows] = made.deviation[bars, :, 0]

    def _begin(self, rows: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        """Give rows that have seen no bar their state before the first."""
        table = self._rows.table
        table["models_hash"][rows] = self._models_hash
        for row, mine in zip(rows.tolist(), numbers, strict=True):
            for model, number in enumerate(mine.tolist()):
                start = self._entries[number].start
                table["state"][row, model, : len(start)] = start


@dataclass(frozen=True, slots=True)
class _Made:
    """What is made of each bar, filled in round by round."""

    previous: NDArray[np.float64]
    figures: NDArray[np.float64]
    forecast: NDArray[np.float64]
    deviation: NDArray[np.float64]


@njit(cache=True)
def _score(
    seen: NDArray[np.int64],
    weight: NDArray[np.float64],
    square: NDArray[np.float64],
    forecast: NDArray[np.float64],
    deviation: NDArray[np.float64],
    sums: NDArray[np.float64],
    rows: NDArray[np.int64],
    bars: NDArray[np.int64],
    starts: NDArray[np.float64],
    change: NDArray[np.float64],
    decay: float,
    keep: float,
    scales: NDArray[np.float64],
    previous: NDArray[np.float64],
    figures: NDArray[np.float64],
) -> None:
    """Score what was forecast of each change, then let the running deviations know of it."""
    for at in range(len(rows)):
        row, bar = rows[at], bars[at]
        for model in range(forecast.shape[1]):
            if seen[row] > 0:
                previous[bar, model] = forecast[row, model]
                score_forecast(sums[row, model], change[at], forecast[row, model], deviation[row, model], keep)
            figures[bar, model] = skill_figures(sums[row, model])
        if seen[row] == 0:
            weight[row], square[row] = START_CHANGES, START_CHANGES * starts[at] * starts[at]
        seen[row] += 1
        weight[row], square[row] = add_change(weight[row], square[row], change[at], decay)
        scales[at] = deviation_of(weight[row], square[row], starts[at])
