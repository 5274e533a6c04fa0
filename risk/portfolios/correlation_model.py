"""The parameters of correlations between symbols: exponentially weighted, and dynamic conditional (DCC) where trained.

Engle, "Dynamic conditional correlation", Journal of Business and Economic Statistics 20 (2002), equations 20 to 24.
"""

from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import StandardisedDistribution

MOST_TRAINED_SYMBOLS = 256
"""How many symbols a model may be trained on: all of them are followed in every partition."""

_Share = Annotated[float, Meta(ge=0.0, lt=1.0)]


class CorrelationModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How standardised residuals of different symbols move together.

    Any two symbols have the exponentially weighted correlation with decay `ewma_lambda` (J.P. Morgan/Reuters,
    RiskMetrics Technical Document, 4th edition, 1996; 0.97 there for monthly data, and here for all). Those in
    `symbols` also have the scalar DCC(1,1): `news` (Engle's a) is the weight of the last residuals, `decay` (b) that of
    what was, and `target` the correlation that it returns to, row by row. `distribution` is what the standardised
    return of a portfolio is drawn from beside the normal.

    Raises ValueError where `news + decay` is not below 1, and for a target that is no correlation matrix of `symbols`.

    >>> CorrelationModel(symbols=("A", "B"), news=0.05, decay=0.9, target=((1.0, 2.0), (2.0, 1.0)))
    Traceback (most recent call last):
    ...
    ValueError: target: the least eigenvalue is -1, so it is no correlation matrix; give one that has none below 0
    """

    ewma_lambda: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.97
    distribution: StandardisedDistribution = StandardisedDistribution("t", 6.0)
    symbols: tuple[str, ...] = ()
    news: _Share = 0.0
    decay: _Share = 0.0
    target: tuple[tuple[float, ...], ...] = ()

    def __post_init__(self) -> None:
        if not self.news + self.decay < 1.0:
            raise ValueError(
                f"news {self.news} + decay {self.decay}: must be below 1, or there is nothing to return to"
            )
        count = len(self.symbols)
        if len(set(self.symbols)) != count or count > MOST_TRAINED_SYMBOLS:
            raise ValueError(f"symbols: {count} given; give at most {MOST_TRAINED_SYMBOLS}, each once")
        if [len(row) for row in self.target] != [count] * count:
            raise ValueError(
                f"target: has {len(self.target)} rows for {count} symbols; give a row and a column for each"
            )
        target = self.target_matrix()
        if not np.array_equal(target, target.T) or np.any(np.diag(target) != 1.0):
            raise ValueError("target: is not symmetric with ones in its diagonal; give a correlation matrix")
        least = float(np.linalg.eigvalsh(target)[0]) if count else 0.0
        if not least >= -1e-12:
            raise ValueError(
                f"target: the least eigenvalue is {least:.3g}, so it is no correlation matrix; give one that has none"
                " below 0"
            )

    def target_matrix(self) -> NDArray[np.float64]:
        """Return the target, float64[n, n]."""
        return np.array(self.target, dtype=np.float64).reshape(len(self.symbols), len(self.symbols))
