import json
from random import Random

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training.data_profile import ColumnProfile, DataProfile, ProfileError, profile
from training.table import Numbers, Table, Texts

ROWS = 2000
random = np.random.default_rng(8)
EVENT = random.random(ROWS) < 0.2
FLAG = EVENT.astype(np.float64)
APART = random.normal(size=ROWS)


def table(**columns: Numbers | Texts) -> Table:
    """Return a table of the columns."""
    return Table(columns, len(next(iter(columns.values()))), frozenset({"at"} & set(columns)))


def told_of(name: str, found: DataProfile) -> ColumnProfile:
    """Return what is told of a column."""
    (told,) = [one for one in found.columns if one.name == name]
    return told


def reasons(values: Numbers | Texts) -> str:
    """Return why a column is suspected beside a target and a column of times."""
    times = np.arange(ROWS, dtype=np.float64) * 60.0 + 1.7e9
    found = profile(table(x=values, y=FLAG, at=times), "y")
    return "; ".join(reason for one in found.suspects if one.column == "x" for reason in one.reasons)


cells = st.tuples(
    st.sampled_from([0.0, 1.5, -3.0, np.inf, np.nan]), st.sampled_from(["a", "b", "1", None]), st.booleans()
)
tables = st.lists(cells, min_size=2, max_size=50).filter(lambda rows: len({row[2] for row in rows}) == 2)


def made(rows: list[tuple[float, str | None, bool]]) -> Table:
    """Return a table of a number, a text and the target."""
    return table(
        number=np.array([row[0] for row in rows]),
        text=[row[1] for row in rows],
        y=np.array([float(row[2]) for row in rows]),
    )


@given(tables)
def test_counts_add_up(rows: list[tuple[float, str | None, bool]]) -> None:
    """Bins, categories and what is missing make up all rows of a column, and what is missing is no value."""
    found = profile(made(rows), "y")
    number, text = told_of("number", found), told_of("text", found)
    for told, values in ((number, [row[0] for row in rows]), (text, [row[1] for row in rows])):
        known = [value for value in values if value is not None and value == value]
        assert (told.rows, told.missing) == (len(rows), len(rows) - len(known))
        assert told.distinct == len(set(known))
        assert sum(one.rows for one in told.rates) == len(rows)
        assert sum(one.events for one in told.rates) == sum(row[2] for row in rows)
        assert sum(one.rows for one in told.rates if one.holds == "missing") == told.missing
        assert sum(one.rows for one in told.categories) + told.missing == len(rows)
    finite = 0 if number.numbers is None else sum(number.numbers.histogram.counts) + number.numbers.infinite
    assert number.numbers is None or finite + number.missing == len(rows)
    assert found.duplicates == len(rows) - len({repr(row) for row in rows})


@given(tables, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_rows_leaves_no_trace(rows: list[tuple[float, str | None, bool]], order: Random) -> None:
    """Permuted rows have the same profile, to the last digit, but for the numbers of rows."""
    shuffled = list(rows)
    order.shuffle(shuffled)
    found, again = (without_row_numbers(profile(made(each), "y")) for each in (rows, shuffled))
    assert found == again


def without_row_numbers(found: DataProfile) -> DataProfile:
    """Return a profile without what names single rows."""
    columns = tuple(
        msgspec.structs.replace(one, findings=tuple(sorted(each.check for each in one.findings)))
        for one in found.columns
    )
    return msgspec.structs.replace(found, columns=columns, duplicate_examples=())


def test_the_area_is_scikit_learns() -> None:
    """A column's AUC is scikit-learn's over rows whose target is known; rows without one are counted and left out."""
    values = APART + EVENT
    target = np.where(random.random(ROWS) < 0.1, np.nan, FLAG)
    found = profile(table(x=values, y=target), "y")
    known = ~np.isnan(target)
    assert told_of("x", found).auc == pytest.approx(roc_auc_score(target[known], values[known]))
    assert found.target is not None
    assert (found.target.rows, found.target.missing) == (known.sum(), (~known).sum())
    assert found.target.rate == target[known].mean()
    assert told_of("y", found).auc is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (APART, "number"),
        (np.arange(ROWS) * 7.0, "identifier"),
        (np.arange(ROWS) * 0.5, "number"),
        (np.full(ROWS, 3.0), "constant"),
        (np.full(ROWS, np.nan), "constant"),
        (["a", None] * (ROWS // 2), "constant"),
        (["a", "b"] * (ROWS // 2), "category"),
        ([f"card {row}" for row in range(ROWS)], "identifier"),
    ],
)
def test_each_kind_is_told(values: Numbers | Texts, kind: str) -> None:
    """Whole numbers and texts that hardly repeat identify; measurements and names do not."""
    told = profile(table(x=values, y=FLAG), "y").columns[0]
    assert told.kind == kind


def test_times_are_what_the_file_says() -> None:
    """A column of times is told as one, and does not identify rows however seldom it repeats."""
    times = np.arange(ROWS, dtype=np.float64)
    assert profile(table(at=times)).columns[0].kind == "time"
    assert profile(table(number=times)).columns[0].kind == "identifier"


def test_an_identifiers_texts_are_not_listed() -> None:
    """Names of customers or cards do not end up in a profile."""
    found = profile(table(card=[f"card {row}" for row in range(ROWS)], y=FLAG), "y")
    assert b"card 1" not in msgspec.json.encode(found)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (FLAG, "equals the target"),
        (1.0 - FLAG, "goes one to one with the target"),
        (["late" if one else "paid" for one in EVENT], "goes one to one with the target"),
        ([None if one else "paid" for one in EVENT], "goes one to one with the target"),
        (FLAG + 0.01 * APART, "ranks the target by itself: AUC 1.000"),
        (-FLAG + 0.01 * APART, "ranks the target by itself: AUC 0.000"),
        ([f"{'bad' if one else 'good'} {row % 3}" for row, one in enumerate(EVENT)], "information value"),
        (np.where(EVENT | (APART > 1.5), np.nan, APART), "whether it is missing separates the target"),
        (np.where(EVENT & (APART < 1.5), APART, np.nan), "whether it is missing separates the target"),
        (np.argsort(np.argsort(FLAG * 1.5 + APART)).astype(float), "is like an identifier, and rises or falls"),
        (np.arange(ROWS) * 3.0, "goes with the times of 'at'"),
    ],
)
def test_what_knows_the_target_is_suspected(values: Numbers | Texts, why: str) -> None:
    """Each way of leaking has its own reason."""
    assert why in reasons(values)


@pytest.mark.parametrize(
    "values",
    [
        APART,
        APART + EVENT,
        np.where(APART > 0.5, np.nan, APART),
        ["a", "b"] * (ROWS // 2),
        random.permutation(ROWS) * 1.0,
    ],
)
def test_what_is_ordinary_is_not_suspected(values: Numbers | Texts) -> None:
    """A column that merely helps, misses values at random or identifies rows is no suspect."""
    assert reasons(values) == ""


def test_columns_that_go_together_are_named() -> None:
    """Pairs above 0.95 by rank are told, the target apart."""
    found = profile(table(x=APART, twice=2.0 * APART, y=FLAG, other=APART**2), "y")
    assert [(one.first, one.second, one.spearman) for one in found.correlated] == [("x", "twice", 1.0)]


def test_repeated_rows_are_named_by_number() -> None:
    """The count is of all, and the examples are the first ten."""
    columns = {"x": np.tile(np.arange(30.0), 2), "y": np.tile([0.0, 1.0], 30)}
    found = profile(Table(columns, 60))
    assert found.duplicates == 30
    assert [(one.row, one.repeats) for one in found.duplicate_examples] == [(row + 30, row) for row in range(10)]


def test_without_a_target_nothing_is_told_of_it() -> None:
    """The rest of the profile is the same."""
    columns = table(x=np.where(APART > 1.0, np.nan, APART), y=FLAG)
    found, with_target = profile(columns), profile(columns, "y")
    assert (found.target, found.suspects, told_of("x", found).rates) == (None, (), ())
    assert told_of("x", found).numbers == told_of("x", with_target).numbers


@pytest.mark.parametrize(
    ("values", "positive", "event"),
    [
        (["true", "False", None, "true "], None, [True, False, False, True]),
        (["bad", "good", None, "bad"], "bad", [True, False, False, True]),
        (np.array([2.0, 1.0, np.nan, 2.0]), "2", [True, False, False, True]),
        (np.array([1.0, 0.0, np.nan, 1.0]), None, [True, False, False, True]),
    ],
)
def test_a_target_is_read(values: Numbers | Texts, positive: str | None, event: list[bool]) -> None:
    """0 and 1, true and false in any case, or whatever value is said to be the event."""
    found = profile(table(x=np.array(event, float), y=values), "y", positive=positive)
    assert found.target is not None
    assert (found.target.rows, found.target.events) == (3, 2)
    assert told_of("x", found).auc == 1.0


@pytest.mark.parametrize(
    ("values", "positive", "told"),
    [
        (np.array([0.0, 2.0]), None, "row 1 is 2, neither 0 nor 1.*--positive"),
        (["yes", "no"], None, "row 0 is 'yes', neither true nor false; say by --positive"),
        (["yes", "no"], "maybe", "is maybe in 0 of the 2 rows"),
        (np.array([0.0, 0.0]), None, "is 1 in 0 of the 2 rows"),
        (np.array([1.0, np.nan]), None, "is 1 in 1 of the 1 rows"),
        (np.array([0.0, 1.0]), "yes", "--positive yes: is no number"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused(values: Numbers | Texts, positive: str | None, told: str) -> None:
    """The message names option, row, value and remedy."""
    with pytest.raises(ProfileError, match=told):
        profile(table(x=np.zeros(2), y=values), "y", positive=positive)
    with pytest.raises(ProfileError, match="--target z: is no column; the file has x, y"):
        profile(table(x=np.zeros(2), y=values), "z")


def test_a_profile_is_json() -> None:
    """It can be written and read back, and undefined figures are null."""
    found = profile(table(x=np.array([np.inf, np.nan, np.inf] * 5), word=["a", "b", None] * 5, z=APART[:15]))
    written = msgspec.json.encode(found)
    assert msgspec.json.decode(written, type=DataProfile) == found
    assert json.loads(written)["columns"][0]["numbers"] is None
