"""The files of a market bundle that hold its volatility models as graphs, each past the parity gate."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.bars.closed_bars import ClosedBars
from risk.market.pooled import POOLED
from risk.volatility.volatility_models import VolatilityModels
from training.market.volatility_graph import recursion_bytes
from training.market.volatility_parity import check_volatility_export


@dataclass(frozen=True, slots=True)
class VolatilityGraphs:
    """The name of each symbol's file and, by that, what is in it; `difference` is the greatest that the gate found."""

    names: dict[str, str]
    files: dict[str, bytes]
    difference: float


def volatility_graphs(
    models: VolatilityModels, bars: ClosedBars, by_symbol: Mapping[str, NDArray[np.int64]], *, seed: int
) -> VolatilityGraphs:
    """Return the graphs of all models, each tried on the bars it was fitted to, which `by_symbol` numbers.

    The pooled model is tried on all of them. Raises ParityError where a graph is not the worker's recursion.
    """
    names, files, differences = {}, {}, []
    own = sorted(set(models.symbols) - {POOLED})
    for symbol, of in ((POOLED, "pooled"), *zip(own, map(str, range(len(own))), strict=True)):
        model = models.symbols[symbol]
        rows = np.concatenate(list(by_symbol.values())) if symbol == POOLED else by_symbol[symbol]
        graph = recursion_bytes(model)
        returns, realised = bars.log_return_percent[rows], bars.realised_variance_percent2[rows]
        differences.append(check_volatility_export(model, graph, returns, realised, seed=seed))
        names[symbol] = f"volatility-{of}.onnx"
        files[names[symbol]] = graph
    return VolatilityGraphs(names, files, max(differences))
