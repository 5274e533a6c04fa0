"""Fairness: whether the groups of a column are flagged alike, and served alike by the scores."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from training.bootstrap import Interval, bootstrap_intervals
from training.measures import auc, cuts, mean

LEAST_ROWS = 50
MOST_GROUPS = 20
OTHER = "other"
MISSING = "missing"
FOUR_FIFTHS = 0.8


class Group(msgspec.Struct, frozen=True):
    """One group's rows, targets and measures, by name, as far as they are defined for it.

    `base_rate` is the share of targets, `flagged_rate` that of flagged rows, `flagged_ratio` the flagged rate over that
    of the largest group; `true_positive_rate` and `false_positive_rate` are the shares of flagged rows among targets
    and others; `calibration_gap` is the mean score less the base rate; `auc` is within the group.
    """

    group: str
    rows: int
    targets: int
    measures: dict[str, Interval]

    def unlike(self) -> bool:
        """Return whether the flagged ratio is surely outside 0.8 to 1.25, the four-fifths rule (EEOC 1978).

        Of fewer than 50 rows, and of bounds that are one point for want of flagged rows, nothing is sure.
        """
        ratio = self.measures.get("flagged_ratio")
        if ratio is None or self.rows < LEAST_ROWS or ratio.low == ratio.high:
            return False
        return ratio.high < FOUR_FIFTHS or ratio.low > 1.0 / FOUR_FIFTHS


def pooled(values: Sequence[str | None]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the names of the groups, the largest first, and the number of each row's group, int64[n].

    Groups of fewer than 50 rows, and those after the twentieth, are one group "other", which comes last; None is
    "missing".

    >>> names, group = pooled(["a"] * 60 + ["b"] * 70 + ["c"] * 3)
    >>> names, np.bincount(group).tolist()
    (['b', 'a', 'other'], [70, 60, 3])
    """
    names, group = np.unique(np.array([MISSING if one is None else one for one in values]), return_inverse=True)
    counts = np.bincount(group)
    order = np.argsort(-counts, kind="stable")
    kept = [at for at in order.tolist() if counts[at] >= LEAST_ROWS and str(names[at]) != OTHER][:MOST_GROUPS]
    number = np.full(len(names), len(kept), dtype=np.int64)
    number[kept] = np.arange(len(kept))
    shown = [str(names[at]) for at in kept]
    return shown if len(kept) == len(names) else [*shown, OTHER], number[group]


def fairness(
    score: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    flagged: npt.NDArray[np.bool_],
    values: Sequence[str | None],
    entity: npt.NDArray[np.int64],
    *,
    seed: int,
    replicates: int,
    on_replicate: Callable[[], None] = lambda: None,
) -> list[Group]:
    """Return the groups of a column's values, the largest first, with intervals by drawing entities.

    Scores are float64[n], target and flagged bool[n], `entity` int64[n] from 0.
    """
    names, group = pooled(values)
    order = np.lexsort((-score, group))
    ends = np.cumsum(np.bincount(group, minlength=len(names)))
    rows = [order[end - count : end] for end, count in zip(ends, np.bincount(group, minlength=len(names)), strict=True)]

    def measure(drawn: npt.NDArray[np.float64]) -> dict[str, float]:
        found: dict[str, float] = {}
        for at, chosen in enumerate(rows):
            measures = _measures(score[chosen], target[chosen], flagged[chosen], drawn[entity[chosen]])
            found |= {f"{at} {name}": value for name, value in measures.items()}
            largest = found["0 flagged_rate"]
            found[f"{at} flagged_ratio"] = measures["flagged_rate"] / largest if largest > 0.0 else np.nan
        return found

    intervals = bootstrap_intervals(
        measure, int(entity.max()) + 1, seed=seed, replicates=replicates, on_replicate=on_replicate
    )
    of_group: list[dict[str, Interval]] = [{} for _ in names]
    for key, interval in intervals.items():
        at, _, name = key.partition(" ")
        of_group[int(at)][name] = interval
    return [
        Group(name, len(chosen), int(target[chosen].sum()), measures)
        for name, chosen, measures in zip(names, rows, of_group, strict=True)
    ]


def _measures(
    score: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    flagged: npt.NDArray[np.bool_],
    weight: npt.NDArray[np.float64],
) -> dict[str, float]:
    hits = flagged.astype(np.float64)
    base_rate = mean(target.astype(np.float64), weight)
    return {
        "base_rate": base_rate,
        "flagged_rate": mean(hits, weight),
        "true_positive_rate": mean(hits, weight * target),
        "false_positive_rate": mean(hits, weight * ~target),
        "calibration_gap": mean(score, weight) - base_rate,
        "auc": auc(cuts(score, target, weight)),
    }
