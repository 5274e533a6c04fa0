"""The statistics that a normaliser begins with, from training rows."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from risk.manifest import NormaliserStatistics
from risk.normaliser import running_moments


def normaliser_statistics(
    features: npt.NDArray[np.float64], kind: Literal["zscore", "minmax"], half_life_days: float | None
) -> NormaliserStatistics:
    """Return the statistics of training features float64[n, F]; `half_life_days` None freezes them.

    >>> normaliser_statistics(np.array([[1.0], [3.0]]), "minmax", None).scale
    (2.0,)
    """
    if kind == "zscore":
        centre, scale = running_moments(features)
    else:
        centre = features.min(axis=0)
        scale = features.max(axis=0) - centre
    return NormaliserStatistics(kind, tuple(centre.tolist()), tuple(scale.tolist()), half_life_days)
