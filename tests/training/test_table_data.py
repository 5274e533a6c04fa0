"""From a table to encoded rows: targets, ranges, repeats and gaps, or a reason why not."""

from typing import Any

import numpy as np
import pytest

from risk.table_columns import TableColumn
from training.recipe import Data
from training.table import Table
from training.table_data import DataError, table_data

TABLE = Table(
    {
        "id": np.arange(5.0),
        "age": np.array([30.0, np.nan, 50.0, 50.0, 41.0]),
        "home": ["rent", "own", None, None, "rent"],
        "amount": np.array([10.0, 20.0, 0.0, 0.0, 5.0]),
        "paid": ["yes", "no", "yes", "yes", "no"],
        "bad": np.array([0.0, 1.0, 0.0, 0.0, 1.0]),
    },
    5,
)


def plan(**more: Any) -> Data:
    """Return a plan for TABLE, of target `bad`."""
    return Data("table.csv", **({"target": "bad", "drop": ("id", "paid")} | more))


def test_columns_are_encoded_in_their_order() -> None:
    """Numbers stay, categories are numbered by name, gaps are NaN; the target and what is dropped are left out."""
    data = table_data(TABLE, plan(ranges={"age": (18.0, 99.0)}, amount="amount"))
    assert data.columns == (
        TableColumn("age", low=18.0, high=99.0),
        TableColumn("home", categories=("own", "rent")),
        TableColumn("amount"),
    )
    np.testing.assert_array_equal(data.matrix[:, 0], TABLE.columns["age"])
    np.testing.assert_array_equal(data.matrix[:, 1], [1.0, 0.0, np.nan, np.nan, 1.0])
    assert data.target.tolist() == [False, True, False, False, True]
    np.testing.assert_array_equal(data.amount, TABLE.columns["amount"])
    assert data.notes == ()


def test_the_event_may_be_a_text() -> None:
    """`positive` says which value of the target is the event; without amounts each row is worth 1."""
    data = table_data(TABLE, plan(target="paid", positive="no", drop=("id", "bad")))
    assert data.target.tolist() == [False, True, False, False, True]
    assert data.amount.tolist() == [1.0] * 5


def test_repeats_and_gaps_are_left_out_and_counted() -> None:
    """A row that repeats an earlier one goes, gaps counting as equal; so does one with a gap, if asked for."""
    repeated = table_data(TABLE, plan(duplicates="drop"))
    assert len(repeated.target) == 4
    assert repeated.notes == ("1 rows that repeat an earlier one were left out",)
    whole = table_data(TABLE, plan(missing="drop"))
    assert whole.matrix[:, 0].tolist() == [30.0, 41.0]
    assert whole.notes == ("3 rows with a missing value were left out",)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"target": "worse"}, "data.target = 'worse': is no column; the file has id, age"),
        ({"drop": ("ids",)}, "data.drop = 'ids': is no column"),
        ({"target": "paid"}, "'paid': holds texts; say with data.positive"),
        ({"target": "age"}, "'age', row 0: is 30.0; correct it to 0 or 1"),
        ({"target": "paid", "positive": "maybe"}, "'maybe': 0 of 5 rows have it"),
        ({"target": "home", "positive": "own"}, "'home', row 2: is missing"),
        ({"ranges": {"age": (18.0, 40.0)}}, r"'age', row 2: 50 is not in \[18, 40\] \(3 rows\)"),
        ({"ranges": {"home": (0.0, 1.0)}}, "'home': holds texts, which have no range"),
        ({"amount": "age"}, "'age', row 1: an amount of nan"),
        ({"drop": ("id", "age", "home", "amount", "paid")}, "no column besides the target"),
    ],
)
def test_a_table_that_does_not_fit_says_why(more: dict[str, Any], says: str) -> None:
    """The message names the column, the row, the value and the remedy."""
    with pytest.raises(DataError, match=says):
        table_data(TABLE, plan(**more))
