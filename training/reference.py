"""What scores and features are like on transactions that a model has not learnt from, for a bundle's reference."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from risk.drift_bins import MISSING, DriftBins
from risk.reference import BINS, BinShares, Reference

_PERCENT = np.arange(1, BINS) / BINS


def reference_of(features: Sequence[str], raw: npt.NDArray[np.float64], scores: npt.NDArray[np.float64]) -> Reference:
    """Return the reference of scores float64[n] and raw features float64[n, F], n >= 1: the deciles of each.

    Deciles that fall together, as those of a feature with few values do, make fewer bins. Shares are counted as a
    worker counts.

    >>> reference = reference_of(["is_night"], np.repeat([[0.0], [1.0]], [30, 10], axis=0), np.linspace(0.0, 1.0, 40))
    >>> reference.features["is_night"].edges, reference.features["is_night"].shares
    ((0.0, 1.0), (0.75, 0.25, 0.0))
    """
    edges = {name: _deciles(raw[:, at]) for at, name in enumerate(features)}
    score_edges = _deciles(scores)
    # Only the edges of this one count.
    bins = DriftBins(
        Reference(0, _even(score_edges), {name: _even(found) for name, found in edges.items()}), tuple(edges)
    )
    counts = bins.count(scores, raw)
    return Reference(
        transactions=len(scores),
        scores=_shares(score_edges, counts[0]),
        features={name: _shares(found, row) for (name, found), row in zip(edges.items(), counts[1:], strict=True)},
    )


def _deciles(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    known = values[np.isfinite(values)]
    return tuple(np.unique(np.quantile(known, _PERCENT)).tolist()) if len(known) else ()


def _even(edges: tuple[float, ...]) -> BinShares:
    return BinShares(edges, (1.0 / (len(edges) + 1),) * (len(edges) + 1))


def _shares(edges: tuple[float, ...], counts: npt.NDArray[np.int64]) -> BinShares:
    share = (counts / counts.sum()).tolist()
    return BinShares(edges, tuple(share[: len(edges) + 1]), share[MISSING])
