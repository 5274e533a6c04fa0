"""The packed models of all symbols in one table, those that were given and those that took their place."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.market.pooled import POOLED
from risk.volatility.packed_model import FIGARCH, FIRST, KIND, TRUNCATION, packed_model
from risk.volatility.training_end import TrainingEnd
from risk.volatility.variance_recursion import figarch_weights
from risk.volatility.volatility_model import Figarch, Har, VolatilityModel
from risk.volatility.volatility_models import VolatilityModels, bars_back


@dataclass(frozen=True, slots=True)
class Widths:
    """How long the rows of a state must be for its models, each at least 1.

    `lags` are those of recursive models, `truncation` the lags of FIGARCH, `realised_bars` those of HAR, and `packed`
    the numbers of a packed model.
    """

    lags: int
    truncation: int
    realised_bars: int
    packed: int


def widths_of(model: VolatilityModel) -> Widths:
    """Return how long the rows must be for one model.

    >>> from risk.volatility.volatility_model import Ewma
    >>> widths_of(Ewma(backcast_percent2=1.0))
    Widths(lags=1, truncation=1, realised_bars=1, packed=13)
    """
    back, packed = bars_back(model), len(packed_model(model))
    match model:
        case Figarch():
            return Widths(1, back, 1, packed)
        case Har():
            return Widths(1, 1, back, packed)
        case _:
            return Widths(back, 1, 1, packed)


class ModelTable:
    """Packed models by number, `packed` float64[models, widths.packed], and the weights of FIGARCH beside each."""

    def __init__(self, models: VolatilityModels) -> None:
        every = list(models.symbols.values())
        each = [widths_of(one) for one in every]
        self.widths = Widths(
            max(one.lags for one in each),
            max(one.truncation for one in each),
            max(one.realised_bars for one in each),
            max(one.packed for one in each),
        )
        self.packed, self.weights = np.zeros((0, self.widths.packed)), np.zeros((0, self.widths.truncation))
        for one in every:
            self._append(packed_model(one))
        self._starts = {symbol: one.start for symbol, one in models.symbols.items()}
        self._given = {symbol: number for number, symbol in enumerate(models.symbols)}
        self._number_of = dict(self._given)

    def numbers(self, symbols: Sequence[str]) -> NDArray[np.int64]:
        """Return the number of each symbol's model, int64[n]: the pooled one's where it has none of its own."""
        number_of, pooled = self._number_of.get, self._given[POOLED]
        return np.fromiter((number_of(one, pooled) for one in symbols), dtype=np.int64, count=len(symbols))

    def start(self, symbol: str) -> TrainingEnd | None:
        """Return where the training of a symbol's model ended, or None to begin from its backcast."""
        return self._starts.get(symbol, self._starts[POOLED])

    def install(self, symbol: str, model: VolatilityModel) -> None:
        """Let a symbol go by another model; raises ValueError for one that the state's rows are too short for."""
        wanted = widths_of(model)
        for field in Widths.__slots__:
            needs, kept = getattr(wanted, field), getattr(self.widths, field)
            if needs > kept:
                raise ValueError(
                    f"the model of {symbol} needs {needs} {field}, and the state keeps {kept}: "
                    "begin with a set of models of which one needs as many"
                )
        self._starts[symbol] = model.start
        self._use(symbol, packed_model(model))

    def restore(self, symbol: str, installed: NDArray[np.float64]) -> None:
        """Let a symbol go by a packed model that was installed, or by the one given where that is all zeros."""
        if installed[KIND] > 0.0:
            self._use(symbol, installed)
        elif symbol in self._given:
            self._number_of[symbol] = self._given[symbol]
        else:
            self._number_of.pop(symbol, None)

    def _use(self, symbol: str, packed: NDArray[np.float64]) -> None:
        number = self._number_of.get(symbol)
        if number is None or number < len(self._given):
            self._number_of[symbol] = self._append(packed)
        else:
            self.packed[number], self.weights[number] = self._padded(packed)

    def _append(self, packed: NDArray[np.float64]) -> int:
        model, weights = self._padded(packed)
        self.packed, self.weights = np.vstack([self.packed, model]), np.vstack([self.weights, weights])
        return len(self.packed) - 1

    def _padded(self, packed: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return a packed model and its weights, as long as those of every model."""
        model, weights = np.zeros(self.widths.packed), np.zeros(self.widths.truncation)
        model[: len(packed)] = packed
        if model[KIND] == FIGARCH:
            phi, d, beta = model[FIRST + 1 : FIRST + 4]
            truncation = int(model[TRUNCATION])
            weights[:truncation] = figarch_weights(phi, d, beta, truncation)
        return model, weights
