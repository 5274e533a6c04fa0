import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.coded_column import code_column
from training.duplicate_rows import duplicate_rows

rows = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0, np.nan]), st.sampled_from(["a", "b", None]), st.sampled_from([1.0, 2.0])),
    min_size=1,
    max_size=40,
)


@given(rows)
def test_repeats_are_those_of_a_walk_over_the_rows(table: list[tuple[float, str | None, float]]) -> None:
    """A row repeats if an earlier one equals it in every column, missing values being equal to each other."""
    seen: dict[str, int] = {}
    walked = [(row, seen.setdefault(repr(one), row)) for row, one in enumerate(table)]
    found = duplicate_rows(
        [
            code_column(np.array([one[0] for one in table])),
            code_column([one[1] for one in table]),
            code_column(np.array([one[2] for one in table])),
        ]
    )
    repeats = [(row, first) for row, first in walked if row != first]
    assert list(zip(found[0].tolist(), found[1].tolist(), strict=True)) == repeats


def test_a_table_without_columns_has_no_rows() -> None:
    """There is nothing to compare."""
    with pytest.raises(ValueError, match="without columns"):
        duplicate_rows([])
