from dataclasses import fields

import numpy as np
import pytest

from tests.closed_bars import bars_of
from training.market.bar_selection import bars_where


@pytest.mark.parametrize("rows", [[], [3], [5, 0, 5], list(range(6))])
def test_the_rows_that_are_named_are_given(rows: list[int]) -> None:
    """Every column has the rows, in the order in which they are named."""
    bars = bars_of(["A", "B", "C"], 2)
    found = bars_where(bars, np.array(rows, dtype=np.int64))
    assert len(found) == len(rows)
    for field in fields(bars):
        assert list(getattr(found, field.name)) == [getattr(bars, field.name)[at] for at in rows]
