"""How a column goes with the target by itself: the rate of events over its values, and how well it ranks them."""

from typing import Literal

import msgspec
import numpy as np

from training.coded_column import CodedColumn, Counts, Tally
from training.information_value import information_value
from training.measures import Cuts, auc
from training.wilson import wilson_interval

TOP_CATEGORIES = 20
FEW_VALUES = 12
_DECILES = 10


Holds = Literal["values", "others", "missing"]
"""What is in a bin: values, all lesser categories together, or what is missing."""


class RateBin(msgspec.Struct, frozen=True):
    """The rate of events in a bin of a column, with its 95 % interval of Wilson.

    `middle` is the median of a number's bin.
    """

    label: str
    holds: Holds
    middle: float | None
    rows: int
    events: int
    rate: float
    low: float
    high: float


def rate_bins(column: CodedColumn, counted: Tally) -> tuple[RateBin, ...]:
    """Return the bins that have rows with a known target.

    Numbers are cut at their deciles, or taken one by one if there are no more than 12; of texts the 20 most frequent
    stand alone and the others together. What is missing is the last bin.

    >>> from training.coded_column import code_column, tally
    >>> coded = code_column(["a", "b", "a", None])
    >>> bins = rate_bins(coded, tally(coded, np.ones(4, np.bool_), np.array([True, False, False, True])))
    >>> [(one.label, one.rate) for one in bins]
    [('a', 0.5), ('b', 0.0), ('missing', 1.0)]
    """
    place, labels, middles = (
        _category_bins(column, column.values) if isinstance(column.values, list) else _number_bins(column)
    )
    bins = len(labels)
    rows = np.bincount(place, weights=counted.rows[1:], minlength=bins).astype(np.int64)
    events = np.bincount(place, weights=counted.events[1:], minlength=bins).astype(np.int64)
    rows, events = np.append(rows, counted.rows[0]), np.append(events, counted.events[0])
    low, high = wilson_interval(events, rows)
    kinds: list[Holds] = ["values"] * bins
    if isinstance(column.values, list) and bins > TOP_CATEGORIES:
        kinds[TOP_CATEGORIES] = "others"
    kinds.append("missing")
    return tuple(
        RateBin(label, kind, middle, count, hits, hits / count, at_least, at_most)
        for label, kind, middle, count, hits, at_least, at_most in zip(
            [*labels, "missing"],
            kinds,
            [*middles, None],
            rows.tolist(),
            events.tolist(),
            low.tolist(),
            high.tolist(),
            strict=True,
        )
        if count
    )


def most_frequent(column: CodedColumn) -> Counts:
    """Return the places of the 20 most frequent values, the first in alphabetical order where two are as frequent."""
    return np.argsort(-column.counts, kind="stable")[:TOP_CATEGORIES]


def value_label(value: float) -> str:
    """Return a number as the label of its own bin.

    >>> value_label(2.0), value_label(0.1)
    ('2', '0.1')
    """
    return f"{value:.12g}"


def rank_auc(counted: Tally) -> float:
    """Return the area under the ROC curve of a column's values as a score, missing ones ranking below all others.

    >>> rank_auc(Tally(np.array([0, 1, 1]), np.array([0, 0, 1])))
    1.0
    """
    targets = np.concatenate(([0.0], np.cumsum(counted.events[::-1])))
    others = np.concatenate(([0.0], np.cumsum((counted.rows - counted.events)[::-1])))
    return auc(Cuts(targets, others))


def missing_auc(counted: Tally) -> float:
    """Return the area under the ROC curve of the flag that says whether a value is missing.

    >>> missing_auc(Tally(np.array([2, 1, 1]), np.array([2, 0, 0])))
    1.0
    """
    rows, events = (np.array([one[1:].sum(), one[0]]) for one in (counted.rows, counted.events))
    return rank_auc(Tally(rows, events))


def bins_information_value(bins: tuple[RateBin, ...]) -> float:
    """Return the information value of a column by its bins, that of missing values among them."""
    return information_value(np.array([one.rows for one in bins]), np.array([one.events for one in bins]))


def _category_bins(column: CodedColumn, names: list[str]) -> tuple[Counts, list[str], list[float | None]]:
    """Return the bin of each distinct value, int64[d], and each bin's label, without medians."""
    top = most_frequent(column)
    place = np.full(len(names), len(top), dtype=np.int64)
    place[top] = np.arange(len(top))
    labels = [names[at] for at in top.tolist()]
    if len(names) > len(top):
        labels.append(f"{len(names) - len(top):,} others")
    return place, labels, [None] * len(labels)


def _number_bins(column: CodedColumn) -> tuple[Counts, list[str], list[float | None]]:
    """Return the bin of each distinct value, int64[d], and each bin's label and median."""
    values = np.asarray(column.values)
    up_to = np.cumsum(column.counts)
    if len(values) <= FEW_VALUES:
        place = np.arange(len(values))
    else:
        tenths = -(-np.arange(1, _DECILES) * up_to[-1] // _DECILES)
        edges = np.unique(np.searchsorted(up_to, tenths))
        place = np.searchsorted(edges[edges < len(values) - 1], np.arange(len(values)))
    labels: list[str] = []
    middles: list[float | None] = []
    for at in range(int(place[-1]) + 1 if len(place) else 0):
        inside = np.flatnonzero(place == at)
        first, last = values[inside[0]], values[inside[-1]]
        labels.append(value_label(first) if len(inside) == 1 else f"{first:.6g} to {last:.6g}")
        half = (up_to[inside[0]] - column.counts[inside[0]] + up_to[inside[-1]] + 1) // 2
        middles.append(float(values[np.searchsorted(up_to, half)]))
    return place.astype(np.int64), labels, middles
