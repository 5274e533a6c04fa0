"""Permutation importance: how much worse a scorer ranks when one feature is shuffled (Breiman 2001; Fisher 2019)."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from training.measures import average_precision, cuts

REPEATS = 3


class Importance(msgspec.Struct, frozen=True):
    """The mean drop of average precision over the shuffles of a feature, and their standard deviation."""

    feature: str
    drop: float
    deviation: float


def permutation_importance(
    scorer: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    features: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    names: Sequence[str],
    *,
    seed: int,
    on_feature: Callable[[], None] = lambda: None,
) -> list[Importance]:
    """Return each feature's importance to `scorer`, which maps float64[n, F] to float64[n], the greatest first.

    A feature that is told by others too seems to matter less than it does: they stand in for it.
    """
    ones = np.ones(len(target))
    whole = average_precision(cuts(scorer(features), target, ones))
    random = np.random.default_rng(seed)
    found = []
    for at, name in enumerate(names):
        shuffled = features.copy()
        drops = []
        for _ in range(REPEATS):
            shuffled[:, at] = features[random.permutation(len(features)), at]
            drops.append(whole - average_precision(cuts(scorer(shuffled), target, ones)))
        found.append(Importance(name, float(np.mean(drops)), float(np.std(drops, ddof=1))))
        on_feature()
    return sorted(found, key=lambda one: (-one.drop, one.feature))
