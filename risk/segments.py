"""Thresholds by segment: what is reviewed or declined may depend on the category of one column."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from risk.decision import Thresholds
from risk.table_columns import TableColumn


class SegmentThresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The thresholds of rows whose `column` has a category that is named here; all others keep the bundle's own."""

    column: str
    by_category: dict[str, Thresholds]


def row_thresholds(
    thresholds: Thresholds,
    segments: SegmentThresholds | None,
    columns: Sequence[TableColumn],
    matrix: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the least score that is reviewed and the least that is declined, float64[n] each, of encoded rows.

    `matrix` is float64[n, C]; the column of the segments is one of categories.

    >>> tenants = SegmentThresholds("home", {"rent": Thresholds(0.2, 0.4)})
    >>> home, rows = TableColumn("home", categories=("own", "rent")), np.array([[0.0], [1.0], [np.nan]])
    >>> row_thresholds(Thresholds(0.5, 0.9), tenants, [home], rows)[0].tolist()
    [0.5, 0.2, 0.5]
    """
    review, decline = np.full(len(matrix), thresholds.review), np.full(len(matrix), thresholds.decline)
    if segments is not None:
        at = [column.name for column in columns].index(segments.column)
        categories = columns[at].categories or ()
        for name, own in segments.by_category.items():
            rows = matrix[:, at] == categories.index(name)
            review[rows], decline[rows] = own.review, own.decline
    return review, decline
