import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training.coded_column import CodedColumn, Tally, code_column, tally
from training.target_rates import bins_information_value, missing_auc, rank_auc, rate_bins

rows = st.lists(
    st.tuples(st.sampled_from([1.0, 2.0, 2.5, -7.0, np.inf, -np.inf, np.nan]), st.booleans()), min_size=2, max_size=50
).filter(lambda given: len({event for _, event in given}) == 2)


def counted(column: CodedColumn, event: np.ndarray) -> Tally:
    """Return the tally where every row's target is known."""
    return tally(column, np.ones(len(event), np.bool_), event)


@given(rows)
def test_the_ranking_is_scikit_learns(given: list[tuple[float, bool]]) -> None:
    """The area is that of scikit-learn, missing values being less than all others; so is that of the missing flag."""
    values, event = (np.array(one) for one in zip(*given, strict=True))
    found = counted(code_column(values), event)
    ranked = np.where(np.isnan(values), -2e300, np.clip(values, -1e300, 1e300))
    assert rank_auc(found) == pytest.approx(roc_auc_score(event, ranked))
    assert missing_auc(found) == pytest.approx(roc_auc_score(event, np.isnan(values)))


@given(rows)
def test_bins_hold_every_row_once(given: list[tuple[float, bool]]) -> None:
    """Rows and events add up, and missing values have a bin of their own."""
    values, event = (np.array(one) for one in zip(*given, strict=True))
    column = code_column(values)
    bins = rate_bins(column, counted(column, event))
    assert sum(one.rows for one in bins) == len(values)
    assert sum(one.events for one in bins) == event.sum()
    assert sum(one.rows for one in bins if one.holds == "missing") == np.isnan(values).sum()


def test_numbers_are_cut_at_their_deciles() -> None:
    """A thousand distinct values make ten bins of a hundred; rates, labels and medians are those of the bin."""
    values = np.random.default_rng(1).permutation(1000).astype(np.float64)
    event = values >= 950.0
    column = code_column(values)
    bins = rate_bins(column, counted(column, event))
    assert [one.rows for one in bins] == [100] * 10
    assert [one.label for one in bins][:2] == ["0 to 99", "100 to 199"]
    assert [one.rate for one in bins] == [0.0] * 9 + [0.5]
    assert bins[0].middle == 49.0
    assert bins_information_value(bins) > 2.0


def test_a_value_that_fills_deciles_is_one_bin() -> None:
    """Equal values are never parted."""
    values = np.concatenate([np.zeros(900), np.arange(1.0, 101.0)])
    column = code_column(values)
    bins = rate_bins(column, counted(column, values > 50.0))
    assert [(one.label, one.rows) for one in bins] == [("0", 900), ("1 to 100", 100)]


def test_the_most_frequent_texts_stand_alone() -> None:
    """Twenty texts have a bin each, the most frequent first, and the rest share one."""
    texts: list[str | None] = [f"c{at:02d}" for at in range(30) for _ in range(40 - at)]
    texts += [None] * 7
    column = code_column(texts)
    event = np.arange(len(texts)) % 3 == 0
    bins = rate_bins(column, counted(column, event))
    assert [one.label for one in bins][:2] == ["c00", "c01"]
    assert [(one.label, one.holds) for one in bins][20:] == [("10 others", "others"), ("missing", "missing")]
    for one in bins[:20]:
        own = [bool(event[row]) for row, text in enumerate(texts) if text == one.label]
        assert (one.rows, one.events, one.rate) == (len(own), sum(own), sum(own) / len(own))
    assert bins[20].rows == sum(40 - at for at in range(20, 30))
