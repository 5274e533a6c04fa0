"""Weight of evidence: each bin of a column becomes the log of how much rarer events are there than elsewhere.

Siddiqi (2006), "Credit risk scorecards", chapter 6: WoE = ln(share of all non-events / share of all events), positive
where events are rare. Half a row is added to each count, so that a bin without events has one too (Haldane 1956).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr
from sklearn.isotonic import IsotonicRegression

from risk.table_columns import TableColumn
from training.graph import Graph, Tensor
from training.steps.step import StepError

_FINE_BINS = 20


@dataclass(frozen=True, slots=True)
class Bin:
    """A bin of column `column`: values above `low` up to `high`, or what is missing where both are NaN.

    A category is a bin of one code; `rows` and `events` are those of training, and several categories may share the
    evidence of a pool of rare ones.
    """

    column: str
    label: str
    low: float
    high: float
    rows: int
    events: int
    woe: float


@dataclass(frozen=True, slots=True)
class WeightOfEvidence:
    """Replaces each of the columns `chosen` by the evidence of the bin that its value lies in, 0 in none.

    `bins[i]` are the bins of column `chosen[i]`.
    """

    columns: tuple[TableColumn, ...]
    chosen: tuple[int, ...]
    bins: tuple[tuple[Bin, ...], ...]

    def add(self, graph: Graph, tensor: Tensor) -> Tensor:
        """Add the nodes: a flag for each bin, of which one at most is 1 in a column, times the evidence."""
        source = [place for place, bins in zip(self.chosen, self.bins, strict=True) for _ in bins]
        flat = [one for bins in self.bins for one in bins]
        values = graph.columns(tensor, source)
        above = graph.node("Greater", values, graph.constant(np.array([[one.low for one in flat]])))
        up_to = graph.node("LessOrEqual", values, graph.constant(np.array([[one.high for one in flat]])))
        for_missing = graph.constant(np.array([[bool(np.isnan(one.low)) for one in flat]]))
        missing = graph.node("And", graph.node("IsNaN", values), for_missing)
        inside = graph.as_double(graph.node("Or", graph.node("And", above, up_to), missing))
        evidence = np.zeros((len(flat), len(self.columns)))
        evidence[np.arange(len(flat)), source] = [one.woe for one in flat]
        replaced = graph.node("MatMul", inside, graph.constant(evidence))
        is_chosen = np.zeros((1, len(self.columns)), dtype=np.bool_)
        is_chosen[0, list(self.chosen)] = True
        return graph.node("Where", graph.constant(is_chosen), replaced, tensor)


def fit_weight_of_evidence(
    columns: Sequence[TableColumn],
    matrix: npt.NDArray[np.float64],
    target: npt.NDArray[np.bool_],
    chosen: Sequence[int],
    *,
    min_share: float,
    monotone: bool,
) -> WeightOfEvidence:
    """Return the encoding of the chosen columns, fitted to rows float64[n, C] and events bool[n].

    Numbers are cut at up to 20 quantiles; with `monotone`, neighbours are pooled until the share of events only rises
    or only falls (pool adjacent violators, in the direction of the rank correlation), and then until each bin holds
    `min_share` (0 to 0.5) of the rows. Categories that hold less are pooled. What is missing has a bin of its own if
    it occurs; otherwise, as for a category that is unknown, the evidence is 0. Raises StepError unless both classes
    occur.
    """
    if not 0 < int(target.sum()) < len(target):
        raise StepError(f"target: has {int(target.sum())} events in {len(target)} rows; both classes must occur")
    least = max(1, int(np.ceil(min_share * len(matrix))))
    made = []
    for place in chosen:
        column, values = columns[place], matrix[:, place]
        present = ~np.isnan(values)
        if column.categories is not None:
            bins = _category_bins(column, values, target, least)
        else:
            edges = _edges(values[present], target[present], least, monotone)
            bins = [
                _bin(
                    column.name,
                    _label(low, high),
                    (low, high),
                    (values > low) & (values <= high),
                    target,
                )
                for low, high in zip([-np.inf, *edges], [*edges, np.inf], strict=True)
            ]
        if not present.all():
            bins.append(_bin(column.name, "missing", (np.nan, np.nan), ~present, target))
        made.append(tuple(bins))
    after = tuple(TableColumn(column.name) if at in set(chosen) else column for at, column in enumerate(columns))
    return WeightOfEvidence(after, tuple(chosen), tuple(made))


def _edges(values: npt.NDArray[np.float64], target: npt.NDArray[np.bool_], least: int, monotone: bool) -> list[float]:
    """Return the inner edges of a number's bins, ascending."""
    if not len(values):
        return []
    edges = np.unique(np.quantile(values, np.arange(1, _FINE_BINS) / _FINE_BINS, method="lower"))
    edges = edges[edges < values.max()]
    number = np.searchsorted(edges, values, side="left")
    rows = np.bincount(number, minlength=len(edges) + 1)
    events = np.bincount(number, weights=target, minlength=len(edges) + 1)
    if monotone and len(rows) > 2:
        rising = bool(spearmanr(number, target).statistic >= 0.0)
        fit = IsotonicRegression(increasing=rising).fit(np.arange(len(rows)), events / rows, sample_weight=rows)
        level = fit.predict(np.arange(len(rows)))
        keep = np.diff(level) != 0.0
        group = np.concatenate([[0], np.cumsum(keep)])
        edges = edges[keep]
        rows, events = (np.bincount(group, weights=one) for one in (rows, events))
    while len(rows) > 1 and rows.min() < least:
        at = int(np.argmin(rows))
        # Of the two neighbours, the one whose share of events is nearer.
        share = events / rows
        left = at - 1 if at > 0 else at
        if 0 < at < len(rows) - 1 and abs(share[at + 1] - share[at]) < abs(share[at - 1] - share[at]):
            left = at
        edges = np.delete(edges, left)
        for one in (rows, events):
            one[left] += one[left + 1]
        rows, events = np.delete(rows, left + 1), np.delete(events, left + 1)
    return [float(edge) for edge in edges]


def _label(low: float, high: float) -> str:
    """Return what people call a range.

    >>> _label(-np.inf, 20.0), _label(20.0, 30.5), _label(30.5, np.inf)
    ('up to 20', 'over 20 to 30.5', 'over 30.5')
    """
    if np.isinf(low):
        return "any" if np.isinf(high) else f"up to {high:.6g}"
    return f"over {low:.6g}" if np.isinf(high) else f"over {low:.6g} to {high:.6g}"


def _category_bins(
    column: TableColumn, values: npt.NDArray[np.float64], target: npt.NDArray[np.bool_], least: int
) -> list[Bin]:
    assert column.categories is not None
    counts = [int((values == code).sum()) for code in range(len(column.categories))]
    rare = [code for code, count in enumerate(counts) if count < least]
    pooled = np.isin(values, rare)
    bins = []
    for code, name in enumerate(column.categories):
        rows = pooled if code in rare else values == code
        if rows.any():
            bins.append(_bin(column.name, name, (code - 0.5, code + 0.5), rows, target))
    return bins


def _bin(
    column: str,
    label: str,
    limits: tuple[float, float],
    rows: npt.NDArray[np.bool_],
    target: npt.NDArray[np.bool_],
) -> Bin:
    count, events = int(rows.sum()), int((rows & target).sum())
    all_events, all_others = int(target.sum()), int((~target).sum())
    woe = np.log((count - events + 0.5) / (all_others + 0.5)) - np.log((events + 0.5) / (all_events + 0.5))
    return Bin(column, label, limits[0], limits[1], count, events, float(woe))
