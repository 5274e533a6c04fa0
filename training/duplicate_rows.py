"""Rows of a table that repeat an earlier one in every column."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.coded_column import CodedColumn


def duplicate_rows(columns: Sequence[CodedColumn]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the numbers of the rows that repeat an earlier one, ascending, and of the first row that each repeats.

    What is missing equals what is missing. Raises ValueError without columns.

    >>> from training.coded_column import code_column
    >>> rows, firsts = duplicate_rows([code_column(np.array([1.0, 2.0, 1.0, 1.0])), code_column(["a", "b", "a", "b"])])
    >>> rows.tolist(), firsts.tolist()
    ([2], [0])
    """
    if not columns:
        raise ValueError("a table without columns has no rows to compare")
    rows = np.arange(len(columns[0].code))
    group = np.zeros(len(rows), dtype=np.int64)
    for column in columns:
        pairs = group * (len(column.counts) + 1) + (column.code[rows] + 1)
        _, group, counts = np.unique(pairs, return_inverse=True, return_counts=True)
        # A row that is alone so far stays alone: few are left after some columns.
        shared = counts[group] > 1
        rows, group = rows[shared], group[shared]
    if not len(rows):
        return rows, rows
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    first_rows = rows[first][group]
    repeats = first_rows != rows
    return rows[repeats], first_rows[repeats]
