"""Fits a bundle's kind of model anew to other rows, for learning curves and for folds back in time."""

from collections.abc import Callable
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from risk.bundle import normaliser_from
from risk.manifest import Model
from training.classifiers import FITS
from training.normaliser_statistics import normaliser_statistics

Rows = npt.NDArray[np.int64]
Refit = Callable[[Rows], Callable[[Rows], npt.NDArray[np.float64]]]
"""Fits to some rows, by number, and returns what scores others, float64[n] for int64[n]."""


def refitter(
    features: npt.NDArray[np.float64],
    fraud: npt.NDArray[np.bool_],
    event_time_ns: npt.NDArray[np.int64],
    model: Model,
    *,
    normaliser: Literal["zscore", "minmax"],
    half_life_days: float | None,
    seed: int,
) -> Refit:
    """Return what fits a model to rows of these columns, in order of time, as training does: float64[n, F], n each.

    Rows are given in ascending order; the normaliser starts at the statistics of those fitted to.
    """

    def refit(fitted: Rows) -> Callable[[Rows], npt.NDArray[np.float64]]:
        frozen = normaliser_statistics(features[fitted], normaliser, None)
        normalised = normaliser_from(frozen).advance(features[fitted], event_time_ns[fitted])
        classifier = FITS[model](normalised, fraud[fitted], seed=seed)
        served = msgspec.structs.replace(frozen, half_life_days=half_life_days)

        def scorer(rows: Rows) -> npt.NDArray[np.float64]:
            return classifier.probability(normaliser_from(served).advance(features[rows], event_time_ns[rows]))

        return scorer

    return refit
