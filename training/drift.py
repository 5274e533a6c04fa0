"""Drift: how far a feature's distribution in the test rows is from the training rows'."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.stats import chi2

from risk.table_columns import UNKNOWN

DECILES = 10
_LEAST_SHARE = 1e-4


class Drift(msgspec.Struct, frozen=True):
    """The population stability index of one feature.

    `by_chance` is what the index exceeds in one of 20 samples though nothing has changed; the shares of missing values
    are in 0 to 1.
    """

    feature: str
    psi: float
    by_chance: float
    train_missing: float
    test_missing: float


def population_stability(
    feature: str, train: npt.NDArray[np.float64], test: npt.NDArray[np.float64], *, categories: int | None = None
) -> Drift:
    """Return the drift between two columns, float64[n] and float64[m], with NaN for what is missing.

    The index is the sum over bins of (q - p) ln(q / p), for the shares p and q of the training and the test rows
    (Siddiqi 2006): below 0.1 is little, above 0.25 much, by his rule of thumb. Bins are the training rows' deciles, or
    each of the `categories` whose codes the columns hold and one for unknown ones; and one for missing values. A share
    counts as 0.0001 at least. By chance the index is a chi-square of bins - 1 degrees,
    times 1 / n + 1 / m (Yurdakul 2018), for rows that are independent.

    >>> column = np.arange(1000.0)
    >>> population_stability("amount", column, column).psi, population_stability("amount", column, column + 500).psi > 1
    (0.0, True)
    """
    if categories is None:
        known = train[~np.isnan(train)]
        edges = np.unique(np.quantile(known, np.arange(1, DECILES) / DECILES)) if len(known) else np.empty(0)
    else:
        edges = np.arange(UNKNOWN, categories - 1.0)
    bins = len(edges) + 2
    missing = bins - 1
    counts = []
    for column in (train, test):
        bin_of = np.searchsorted(edges, column, side="left")
        counts.append(np.bincount(np.where(np.isnan(column), missing, bin_of), minlength=bins))
    used = (counts[0] + counts[1]) > 0
    p, q = (np.maximum(count[used] / count.sum(), _LEAST_SHARE) for count in counts)
    scale = 1.0 / len(train) + 1.0 / len(test)
    return Drift(
        feature,
        float(np.sum((q - p) * np.log(q / p))),
        float(scale * chi2.ppf(0.95, int(used.sum()) - 1)) if used.sum() > 1 else 0.0,
        float(counts[0][missing] / len(train)),
        float(counts[1][missing] / len(test)),
    )


def drift(
    names: Sequence[str],
    train: npt.NDArray[np.float64],
    test: npt.NDArray[np.float64],
    categories: Mapping[str, Sequence[str]],
) -> list[Drift]:
    """Return the drift of each column of float64[n, F] and float64[m, F], the greatest first.

    `categories` are those of the columns that hold their codes, by name.
    """
    counts = {name: len(known) for name, known in categories.items()}
    found = [
        population_stability(name, train[:, at], test[:, at], categories=counts.get(name))
        for at, name in enumerate(names)
    ]
    return sorted(found, key=lambda one: (-one.psi, one.feature))
