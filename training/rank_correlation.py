"""Spearman's rank correlation of every pair of columns, of which only the strong ones are kept."""

from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from training.coded_column import CodedColumn, mid_ranks

_BLOCK = 32_768
_SLACK = 0.05
_LEAST_ROWS = 10
_DIGITS = 9  # beyond them the order of rows shows in a sum


class CorrelatedPair(msgspec.Struct, frozen=True):
    """Two columns, and the correlation of their ranks over the rows in which neither is missing, -1 to 1."""

    first: str
    second: str
    spearman: float


def correlated_pairs(columns: Mapping[str, CodedColumn], *, above: float) -> tuple[CorrelatedPair, ...]:
    """Return the pairs whose |Spearman| is above `above`, the strongest first.

    All pairs are screened at once by the ranks that values have in their whole columns; those near the limit are
    ranked again over their common rows, of which there must be 10. Where neither misses a value both are the same.

    >>> from training.coded_column import code_column
    >>> rising = np.arange(20.0)
    >>> correlated_pairs({"x": code_column(rising), "y": code_column(-(rising**3))}, above=0.95)
    (CorrelatedPair(first='x', second='y', spearman=-1.0),)
    """
    names = [name for name, column in columns.items() if len(column.counts) > 1]
    near = np.abs(_screened([columns[name] for name in names])) > above - _SLACK
    pairs = []
    for i, j in np.argwhere(np.triu(near, 1)).tolist():
        value = spearman(columns[names[i]], columns[names[j]])
        if abs(value) > above:
            pairs.append(CorrelatedPair(names[i], names[j], value))
    return tuple(sorted(pairs, key=lambda pair: -abs(pair.spearman)))


def spearman(first: CodedColumn, second: CodedColumn) -> float:
    """Return Spearman's correlation over the rows in which neither is missing, rounded to 9 decimals.

    It is NaN with fewer than 10 such rows, or where one of the two is constant on them.
    """
    common = (first.code >= 0) & (second.code >= 0)
    rows = int(common.sum())
    if rows < _LEAST_ROWS:
        return float("nan")
    ranks = []
    for column in (first, second):
        code = column.code[common]
        counts = np.bincount(code, minlength=len(column.counts)).astype(np.int64)
        ranks.append(mid_ranks(CodedColumn(column.values, counts, code))[code] - (rows + 1) / 2.0)
    one, other = ranks
    with np.errstate(invalid="ignore", divide="ignore"):
        return round(float((one @ other) / np.sqrt((one @ one) * (other @ other))), _DIGITS)


def _screened(columns: list[CodedColumn]) -> npt.NDArray[np.float64]:
    """Return the correlation of whole columns' ranks over the rows that each pair has in common, float64[C, C]."""
    width = len(columns)
    if not width:
        return np.zeros((0, 0))
    # The last place is that of code -1.
    scaled = [np.append(mid_ranks(column) / column.known - 0.5, 0.0) for column in columns]
    count, total, square, product = (np.zeros((width, width)) for _ in range(4))
    for start in range(0, len(columns[0].code), _BLOCK):
        codes = [column.code[start : start + _BLOCK] for column in columns]
        rank = np.column_stack([of[code] for of, code in zip(scaled, codes, strict=True)])
        known = np.column_stack([code >= 0 for code in codes]).astype(np.float64)
        count += known.T @ known
        total += rank.T @ known
        square += (rank**2).T @ known
        product += rank.T @ rank
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
        variance = square / count - mean**2
        found = (product / count - mean * mean.T) / np.sqrt(variance * variance.T)
    return np.nan_to_num(found, nan=0.0, posinf=0.0, neginf=0.0)
