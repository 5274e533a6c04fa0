"""The slices where a model fails: bins of one feature, or of two, in which its log loss is above that of the rest.

After Chung et al. 2019, "Slice Finder". Log loss is greater where targets are many, so each slice tells beside it the
loss that its scores expect of themselves: where the two are alike the model is unsure, and knows it; where the loss is
greater than expected, the model is wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.stats import false_discovery_control, norm

SLICES = 10
FALSE_DISCOVERY_RATE = 0.05
_QUANTILES = 5
_MOST_CATEGORIES = 6
_PAIRED = 12
_LEAST_ROWS = 30
_LEAST_SHARE = 0.01
_LEAST_SCORE = 1e-6


class Slice(msgspec.Struct, frozen=True):
    """A slice: `where` its rows are, how many, and how they were scored.

    `lift` is the slice's log loss less that of all rows; `expected_loss` the log loss if each score were the chance of
    its row to be a target, the scores' mean entropy; `q` the p-value after Benjamini and Hochberg (1995).
    """

    where: str
    rows: int
    targets: int
    base_rate: float
    mean_score: float
    log_loss: float
    expected_loss: float
    lift: float
    q: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    features: tuple[int, ...]
    where: str
    rows: npt.NDArray[np.bool_]
    lift: float
    part_lift: float
    p: float


def log_losses(score: npt.NDArray[np.float64], target: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return each row's log loss in nats, float64[n]; scores are held within 1e-6 of 0 and 1.

    >>> log_losses(np.array([0.5, 1.0]), np.array([True, True])).round(6).tolist()
    [0.693147, 1e-06]
    """
    held = np.clip(score, _LEAST_SCORE, 1.0 - _LEAST_SCORE)
    return -np.log(np.where(target, held, 1.0 - held))


def expected_losses(score: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the log loss in nats that each score expects, float64[n]: its entropy, held as in `log_losses`.

    >>> expected_losses(np.array([0.5, 1.0])).round(4).tolist()
    [0.6931, 0.0]
    """
    held = np.clip(score, _LEAST_SCORE, 1.0 - _LEAST_SCORE)
    return -held * np.log(held) - (1.0 - held) * np.log1p(-held)


def worst_slices(
    score: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    features: npt.NDArray[np.float64],
    names: Sequence[str],
    entity: npt.NDArray[np.int64],
    categories: Mapping[str, Sequence[str]],
) -> list[Slice]:
    """Return the slices of greatest lift, ten at most, among those whose lift is no chance.

    Slices are fifths of a feature, or its values where they are six at most, and its missing values; each category of a
    feature that holds the codes of `categories`; and pairs of the twelve worst of these, where a pair is worse than
    both of its parts. Each has 30 rows and one row in a hundred at least. All slices that were looked at enter the
    control of false discoveries at 5 %; p-values allow for rows of an entity, `entity` int64[n] from 0, that depend on
    each other. `features` float64[n, F] may be NaN.
    """
    loss = log_losses(score, target)
    least = max(_LEAST_ROWS, int(np.ceil(_LEAST_SHARE * len(loss))))
    singles = [
        _candidate((at,), where, rows, -np.inf, loss, entity)
        for at, name in enumerate(names)
        for where, rows in _bins(name, features[:, at], categories.get(name))
        if least <= rows.sum() < len(loss)
    ]
    worst = sorted(singles, key=lambda one: (-one.lift, one.where))[:_PAIRED]
    pairs = [
        _candidate(
            (*one.features, *other.features),
            f"{one.where} and {other.where}",
            rows,
            max(one.lift, other.lift),
            loss,
            entity,
        )
        for one, other in combinations(worst, 2)
        if one.features != other.features and least <= (rows := one.rows & other.rows).sum()
    ]
    tried = [*singles, *pairs]
    if not tried:
        return []
    adjusted = false_discovery_control([one.p for one in tried], method="bh").tolist()
    found = [
        _slice(one, q, score, target, loss)
        for one, q in zip(tried, adjusted, strict=True)
        if q < FALSE_DISCOVERY_RATE and one.lift > max(0.0, one.part_lift)
    ]
    return sorted(found, key=lambda one: (-one.lift, one.where))[:SLICES]


def _bins(
    name: str, column: npt.NDArray[np.float64], categories: Sequence[str] | None
) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    missing = np.isnan(column)
    bins = [(f"{name} missing", missing)] if missing.any() else []
    if categories is not None:
        return bins + [(f"{name} = {category}", column == code) for code, category in enumerate(categories)]
    values = np.unique(column[~missing])
    if len(values) <= _MOST_CATEGORIES:
        return bins + [(f"{name} = {value:.6g}", column == value) for value in values.tolist()]
    edges = np.unique(np.quantile(column[~missing], np.arange(1, _QUANTILES) / _QUANTILES)).tolist()
    bins.append((f"{name} <= {edges[0]:.4g}", column <= edges[0]))
    for low, high in pairwise(edges):
        bins.append((f"{low:.4g} < {name} <= {high:.4g}", (column > low) & (column <= high)))
    return [*bins, (f"{name} > {edges[-1]:.4g}", column > edges[-1])]


def _candidate(
    features: tuple[int, ...],
    where: str,
    rows: npt.NDArray[np.bool_],
    part_lift: float,
    loss: npt.NDArray[np.float64],
    entity: npt.NDArray[np.int64],
) -> _Candidate:
    lift = float(loss[rows].mean() - loss.mean())
    return _Candidate(features, where, rows, lift, part_lift, excess_p_value(loss, rows, entity))


def excess_p_value(loss: npt.NDArray[np.float64], rows: npt.NDArray[np.bool_], entity: npt.NDArray[np.int64]) -> float:
    """Return the p-value of the mean loss being no greater in some rows bool[n] than in the others.

    One-sided, by the normal distribution; the variance is that of sums over entities (Liang and Zeger 1986), which for
    entities of one row is Welch's.
    """
    inside, outside = loss[rows].mean(), loss[~rows].mean()
    influence = np.where(rows, (loss - inside) / rows.sum(), (outside - loss) / (~rows).sum())
    deviation = float(np.sqrt(np.sum(np.bincount(entity, weights=influence) ** 2)))
    if deviation == 0.0:
        return float(inside <= outside)
    return float(norm.sf((inside - outside) / deviation))


def _slice(
    one: _Candidate,
    q: float,
    score: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    loss: npt.NDArray[np.float64],
) -> Slice:
    return Slice(
        where=one.where,
        rows=int(one.rows.sum()),
        targets=int(target[one.rows].sum()),
        base_rate=float(target[one.rows].mean()),
        mean_score=float(score[one.rows].mean()),
        log_loss=float(loss[one.rows].mean()),
        expected_loss=float(expected_losses(score[one.rows]).mean()),
        lift=one.lift,
        q=q,
    )
