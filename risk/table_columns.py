"""The columns of a row that is no transaction: a credit application, or any line of a table.

A row enters a model as float64: a number as itself, a category as its place among those known from training. An
unknown category is UNKNOWN, which no encoding takes for a known one; what is missing is NaN.
"""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from risk.rejection import RejectionReason

UNKNOWN = -1.0

Value = float | str | bool | None
"""A value as JSON has it."""


class TableColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column: its name, its categories if it is no number, the range that is valid, and whether it may be missing.

    `low` and `high` are inclusive, None where there is no limit.
    """

    name: str
    categories: tuple[str, ...] | None = None
    low: float | None = None
    high: float | None = None
    required: bool = False


class Invalid(msgspec.Struct, frozen=True):
    """Why a row cannot be scored: the column, the reason and what was found there."""

    column: str
    reason: RejectionReason
    found: str


def category_codes(values: Sequence[str | None], categories: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return the place of each value among the categories, float64[n].

    >>> category_codes(["own", None, "castle"], ["rent", "own"]).tolist()
    [1.0, nan, -1.0]
    """
    place: dict[str | None, float] = {name: float(at) for at, name in enumerate(categories)}
    place[None] = np.nan
    return np.array([place.get(value, UNKNOWN) for value in values], dtype=np.float64)


def encode_row(columns: Sequence[TableColumn], fields: Mapping[str, Value]) -> list[float] | Invalid:
    """Return a row's numbers in the order of the columns, or the first thing that makes it invalid.

    A number may stand for true and false, and a whole number for a category of the same digits. An infinite number is
    out of any range. Fields that are no column are not looked at.

    >>> columns = [TableColumn("age", low=18.0, high=120.0), TableColumn("home", categories=("rent", "own"))]
    >>> encode_row(columns, {"age": 40, "home": "own"})
    [40.0, 1.0]
    >>> encode_row(columns, {"age": 17, "home": "own"})
    Invalid(column='age', reason='out_of_range', found='17')
    """
    row = []
    for column in columns:
        value = fields.get(column.name)
        number = np.nan
        if value is None or value == "":
            if column.required:
                return Invalid(column.name, "missing_field", "nothing")
        elif column.categories is not None:
            text = _category(value)
            number = float(column.categories.index(text)) if text in column.categories else UNKNOWN
        elif isinstance(value, str):
            return Invalid(column.name, "wrong_type", "text")
        else:
            number = float(value)
            below = column.low is not None and number < column.low
            if below or (column.high is not None and number > column.high) or np.isinf(number):
                return Invalid(column.name, "out_of_range", f"{value:.12g}")
            if np.isnan(number) and column.required:
                return Invalid(column.name, "missing_field", "nothing")
        row.append(number)
    return row


def value_text(column: TableColumn, number: float) -> str:
    """Return a number of an encoded row as people write it: a category by its name.

    >>> value_text(TableColumn("home", categories=("rent", "own")), 1.0), value_text(TableColumn("age"), 40.0)
    ('own', '40')
    """
    if np.isnan(number):
        return "missing"
    if column.categories is None:
        return f"{number:.12g}"
    return column.categories[int(number)] if number >= 0.0 else "unknown"


def _category(value: float | str | bool) -> str:
    """Return the text of a category: that of a whole number has no decimals.

    >>> _category(2.0), _category(True), _category("own")
    ('2', '1', 'own')
    """
    if isinstance(value, str):
        return value
    return str(int(value)) if float(value).is_integer() else repr(float(value))
