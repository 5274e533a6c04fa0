"""Measures of scores against what came true, on columns in which rows may weigh more or less than one.

Scores are float64[n], higher for what is more likely the target; targets bool[n]; weights float64[n], at least 0: in a
bootstrap replicate a row weighs as often as it was drawn. A measure that is undefined, for want of targets or of
others, is NaN.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CALIBRATION_BINS = 20


@dataclass(frozen=True, slots=True)
class Cuts:
    """What each distinct score, as a threshold, flags: float64 weights from (0, 0) on, from the highest score down."""

    flagged_targets: Floats
    flagged_others: Floats


def cuts(score: Floats, target: Flags, weight: Floats) -> Cuts:
    """Return the cuts between distinct scores, g + 1 for g of them.

    >>> found = cuts(np.array([0.9, 0.5, 0.5]), np.array([True, False, True]), np.ones(3))
    >>> found.flagged_targets.tolist(), found.flagged_others.tolist()
    ([0.0, 1.0, 2.0], [0.0, 0.0, 1.0])
    """
    # A stable sort takes no time where rows are in this order already, as in every replicate of a bootstrap.
    order = np.argsort(-score, kind="stable")
    descending, weight, target = score[order], weight[order], target[order]
    last = np.append(np.flatnonzero(descending[1:] != descending[:-1]), len(score) - 1)
    targets = np.cumsum(np.where(target, weight, 0.0))[last]
    others = np.cumsum(np.where(target, 0.0, weight))[last]
    return Cuts(np.concatenate(([0.0], targets)), np.concatenate(([0.0], others)))


def auc(found: Cuts) -> float:
    """Return the area under the ROC curve, the chance that a target outranks another row, ties being halves.

    >>> auc(cuts(np.array([0.9, 0.5, 0.1]), np.array([True, False, True]), np.ones(3)))
    0.5
    """
    targets, others = found.flagged_targets, found.flagged_others
    pairs = targets[-1] * others[-1]
    return float(np.trapezoid(targets, others) / pairs) if pairs > 0.0 else np.nan


def gini(area: float) -> float:
    """Return Gini's coefficient of a ranking by its AUC: 0 for chance, 1 for perfection (Hand and Till 2001)."""
    return 2.0 * area - 1.0


def average_precision(found: Cuts) -> float:
    """Return the precision at each distinct score, summed by the recall it adds, without interpolation.

    >>> average_precision(cuts(np.array([0.9, 0.5, 0.1]), np.array([True, False, True]), np.ones(3)))
    0.8333333333333333
    """
    targets = found.flagged_targets
    if not targets[-1] > 0.0:
        return np.nan
    flagged = targets[1:] + found.flagged_others[1:]
    precision = np.divide(targets[1:], flagged, out=np.zeros(len(flagged)), where=flagged > 0.0)
    return float(np.sum(np.diff(targets) * precision) / targets[-1])


def kolmogorov_smirnov(found: Cuts) -> float:
    """Return the greatest distance between the distributions of targets' and of others' scores, 0 to 1.

    >>> kolmogorov_smirnov(cuts(np.array([0.9, 0.5, 0.1]), np.array([True, False, True]), np.ones(3)))
    0.5
    """
    targets, others = found.flagged_targets, found.flagged_others
    if not targets[-1] * others[-1] > 0.0:
        return np.nan
    return float(np.max(np.abs(targets / targets[-1] - others / others[-1])))


def brier(score: Floats, target: Flags, weight: Floats) -> float:
    """Return the mean squared difference between score and outcome (Brier 1950), 0 at best.

    >>> brier(np.array([0.5, 1.0]), np.array([True, True]), np.ones(2))
    0.125
    """
    return mean((score - target) ** 2, weight)


def calibration_bins(score: Floats, bins: int = CALIBRATION_BINS) -> npt.NDArray[np.int64]:
    """Return the bin of each row, int64[n] from 0: as equal in number as rows of equal score let them be.

    >>> calibration_bins(np.array([0.1, 0.2, 0.3, 0.3]), bins=2).tolist()
    [0, 0, 1, 1]
    """
    edges = np.quantile(score, np.arange(1, bins) / bins, method="lower")
    found = np.searchsorted(edges, score, side="left").astype(np.int64)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)


def calibration_error(score: Floats, target: Flags, weight: Floats, bin_of: npt.NDArray[np.int64]) -> float:
    """Return the expected calibration error: the mean over rows of |mean score - share of targets| of a row's bin.

    Bins `bin_of` int64[n] are of equal counts (Nguyen and O'Connor 2015): with equal widths (Naeini, Cooper and
    Hauskrecht 2015) the rows of a rare target would all fall into the first. A small sample makes it too large.

    >>> score, target = np.array([0.2, 0.2, 0.9, 0.7]), np.array([False, False, True, True])
    >>> round(calibration_error(score, target, np.ones(4), np.array([0, 0, 1, 1])), 9)
    0.2
    """
    gaps = np.bincount(bin_of, weights=weight * (score - target))
    total = float(weight.sum())
    return float(np.abs(gaps).sum() / total) if total > 0.0 else np.nan


def precision_and_recall(flagged: Flags, target: Flags, weight: Floats) -> tuple[float, float]:
    """Return the share of targets among flagged rows, and the share of targets that are flagged.

    >>> precision_and_recall(np.array([True, True, False]), np.array([True, False, False]), np.ones(3))
    (0.5, 1.0)
    """
    hits, flags, targets = (float(weight[chosen].sum()) for chosen in (flagged & target, flagged, target))
    return (hits / flags if flags > 0.0 else np.nan), (hits / targets if targets > 0.0 else np.nan)


def mean(values: Floats, weight: Floats) -> float:
    """Return the weighted mean of values float64[n].

    >>> mean(np.array([1.0, 4.0]), np.array([2.0, 1.0]))
    2.0
    """
    total = float(weight.sum())
    # No dot product: that of a BLAS depends on its threads in the last bits, and its threads on other work.
    return float((values * weight).sum() / total) if total > 0.0 else np.nan
