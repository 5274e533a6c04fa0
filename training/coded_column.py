"""A column as places among its distinct values: what counts, ranks and comparisons are made from.

Whatever is computed from it sees the values in ascending order, so that the order of rows leaves no trace in a sum.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.table import Numbers, Texts

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class CodedColumn:
    """The distinct values in ascending order, float64[d] or texts; how often each occurs, int64[d]; and each row's.

    `code` int32[n] is the place of the row's value, -1 where it is missing.
    """

    values: Numbers | list[str]
    counts: Counts
    code: npt.NDArray[np.int32]

    @property
    def known(self) -> int:
        """The number of rows whose value is not missing."""
        return int(self.counts.sum())


@dataclass(frozen=True, slots=True)
class Tally:
    """Rows and events at each distinct value, int64[d + 1] each; the first place is that of what is missing."""

    rows: Counts
    events: Counts


def code_column(values: Numbers | Texts) -> CodedColumn:
    """Return a column coded.

    >>> coded = code_column(np.array([5.0, np.nan, 2.0, 5.0]))
    >>> coded.values.tolist(), coded.counts.tolist(), coded.code.tolist()
    ([2.0, 5.0], [1, 2], [1, -1, 0, 1])
    >>> code_column(["b", None, "a"]).code.tolist()
    [1, -1, 0]
    """
    if isinstance(values, np.ndarray):
        code = np.full(len(values), -1, dtype=np.int32)
        present = ~np.isnan(values)
        distinct, places, counts = np.unique(values[present], return_inverse=True, return_counts=True)
        code[present] = places
        return CodedColumn(distinct, counts.astype(np.int64), code)
    names = sorted({value for value in values if value is not None})
    place: dict[str | None, int] = {name: at for at, name in enumerate(names)}
    place[None] = -1
    code = np.array([place[value] for value in values], dtype=np.int32)
    return CodedColumn(names, np.bincount(code[code >= 0], minlength=len(names)).astype(np.int64), code)


def tally(coded: CodedColumn, labelled: npt.NDArray[np.bool_], event: npt.NDArray[np.bool_]) -> Tally:
    """Return the rows and events of each distinct value, among the rows `labelled` bool[n].

    >>> coded = code_column(np.array([5.0, np.nan, 2.0, 5.0]))
    >>> found = tally(coded, np.ones(4, np.bool_), np.array([True, True, False, False]))
    >>> found.rows.tolist(), found.events.tolist()
    ([1, 1, 2], [1, 0, 1])
    """
    places = len(coded.counts) + 1
    return Tally(
        np.bincount(coded.code[labelled] + 1, minlength=places).astype(np.int64),
        np.bincount(coded.code[labelled & event] + 1, minlength=places).astype(np.int64),
    )


def mid_ranks(coded: CodedColumn) -> Numbers:
    """Return the rank of each distinct value among the known rows, float64[d], ties taking the mean of theirs from 1.

    >>> mid_ranks(code_column(np.array([5.0, 2.0, 5.0]))).tolist()
    [1.0, 2.5]
    """
    return np.cumsum(coded.counts) - (coded.counts - 1) / 2.0
