import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from training.coded_column import code_column, mid_ranks, tally

numbers = st.lists(st.one_of(st.sampled_from([0.0, -0.0, 1.5, np.inf, -np.inf, np.nan]), st.floats()), max_size=40)
texts = st.lists(st.one_of(st.none(), st.text(max_size=2)), max_size=40)


@given(numbers)
def test_numbers_can_be_read_back(values: list[float]) -> None:
    """Each row's code leads to its value, a missing one to none, and distinct values ascend."""
    column = code_column(np.array(values))
    back = [np.nan if code < 0 else column.values[code] for code in column.code]
    np.testing.assert_array_equal(back, values)
    assert list(column.values) == sorted({value for value in values if not np.isnan(value)})
    assert column.known == sum(not np.isnan(value) for value in values)


@given(texts)
def test_texts_can_be_read_back(values: list[str | None]) -> None:
    """Each row's code leads to its text, a missing one to none, and the counts are those of the texts."""
    column = code_column(values)
    assert [None if code < 0 else column.values[code] for code in column.code] == values
    assert column.counts.tolist() == [values.count(str(value)) for value in column.values]


@given(numbers)
def test_ranks_are_scipys(values: list[float]) -> None:
    """The rank of each known row is that of scipy, ties taking the mean."""
    column = code_column(np.array(values))
    known = column.code >= 0
    np.testing.assert_allclose(mid_ranks(column)[column.code[known]], rankdata(np.array(values)[known]))


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.booleans(), st.booleans()), max_size=30))
def test_a_tally_counts_labelled_rows(rows: list[tuple[str | None, bool, bool]]) -> None:
    """Rows and events are counted where the target is known; the first place is that of missing values."""
    column = code_column([value for value, _, _ in rows])
    found = tally(column, np.array([one[1] for one in rows], bool), np.array([one[2] for one in rows], bool))
    for at, value in enumerate([None, *column.values]):
        own = [event for one, labelled, event in rows if one == value and labelled]
        assert (found.rows[at], found.events[at]) == (len(own), sum(own))
