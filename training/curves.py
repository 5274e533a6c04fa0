"""The curves that a report draws, thinned to what an eye can tell apart: no row can be read off them."""

import msgspec
import numpy as np
import numpy.typing as npt

from training.measures import Cuts

POINTS = 200
HISTOGRAM_BINS = 40


class Curve(msgspec.Struct, frozen=True):
    """Points of a line, from left to right."""

    x: list[float]
    y: list[float]


class Reliability(msgspec.Struct, frozen=True):
    """One bin of scores: their mean, the share of targets, and how many rows there are."""

    mean_score: float
    base_rate: float
    rows: int


class Histogram(msgspec.Struct, frozen=True):
    """How many targets and how many others score between each two of the edges."""

    edges: list[float]
    targets: list[int]
    others: list[int]


def roc_curve(found: Cuts) -> Curve:
    """Return the share of targets flagged over the share of others flagged; there must be both.

    >>> from training.measures import cuts
    >>> curve = roc_curve(cuts(np.array([0.9, 0.5, 0.1]), np.array([True, False, True]), np.ones(3)))
    >>> curve.x, curve.y
    ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    return _thinned(found.flagged_others / found.flagged_others[-1], found.flagged_targets / found.flagged_targets[-1])


def precision_recall_curve(found: Cuts) -> Curve:
    """Return precision over recall, at each distinct score; there must be targets."""
    flagged = found.flagged_targets[1:] + found.flagged_others[1:]
    return _thinned(found.flagged_targets[1:] / found.flagged_targets[-1], found.flagged_targets[1:] / flagged)


def gains_curve(found: Cuts) -> Curve:
    """Return the share of targets flagged over the share of all rows flagged; there must be targets."""
    flagged = found.flagged_targets + found.flagged_others
    return _thinned(flagged / flagged[-1], found.flagged_targets / found.flagged_targets[-1])


def reliability(
    score: npt.NDArray[np.float64], target: npt.NDArray[np.bool_], bin_of: npt.NDArray[np.int64]
) -> list[Reliability]:
    """Return what each bin, `bin_of` int64[n] from 0 without gaps, holds of scores float64[n] and targets bool[n]."""
    rows = np.bincount(bin_of)
    means = np.bincount(bin_of, weights=score) / rows
    rates = np.bincount(bin_of, weights=target) / rows
    return [Reliability(*one) for one in zip(means.tolist(), rates.tolist(), rows.tolist(), strict=True)]


def score_histogram(score: npt.NDArray[np.float64], target: npt.NDArray[np.bool_]) -> Histogram:
    """Return the counts of scores in 0 to 1 in forty bins of equal width.

    >>> sum(score_histogram(np.array([0.0, 0.5, 1.0]), np.array([True, False, True])).targets)
    2
    """
    edges = np.linspace(0.0, 1.0, HISTOGRAM_BINS + 1)
    targets, others = (np.histogram(score[chosen], edges)[0].tolist() for chosen in (target, ~target))
    return Histogram(edges.tolist(), targets, others)


def _thinned(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Curve:
    """Return the points at even distances along the line, its ends among them."""
    along = np.concatenate(([0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))))
    chosen = np.arange(len(x))
    if len(x) > POINTS:
        chosen = np.unique(np.searchsorted(along, np.linspace(0.0, along[-1], POINTS)).clip(0, len(x) - 1))
    return Curve(x[chosen].tolist(), y[chosen].tolist())
