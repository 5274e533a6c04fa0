"""What looks wrong in a column by itself: its type, its range."""

import re
from collections.abc import Callable
from datetime import datetime

import msgspec
import numpy as np
import numpy.typing as npt

from training.coded_column import CodedColumn, Counts
from training.table import Numbers
from training.target_rates import FEW_VALUES

Chosen = npt.NDArray[np.bool_]

_NEARLY_ALL = 0.9
_FEW = 0.01
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$", re.ASCII)
_DAY = re.compile(r"\s*\d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})\b", re.ASCII)
_NINES = re.compile(r"-?9{2,}$")


class Finding(msgspec.Struct, frozen=True):
    """What a check found in a column: its name in few words, and a sentence with the first row, from 0."""

    check: str
    message: str


def check_column(column: CodedColumn, *, declared_categorical: bool) -> tuple[Finding, ...]:
    """Return what looks wrong in a column; one that was declared categorical may hold numbers as texts.

    >>> from training.coded_column import code_column
    >>> check_column(code_column(["1", "2"] * 10 + ["x"]), declared_categorical=False)[0].message
    "20 of 21 values are numbers; the first that is none is 'x' in row 20: correct it"
    """
    if not column.known:
        return ()
    if isinstance(column.values, list):
        return tuple(_text_findings(column, column.values, declared_categorical))
    return tuple(_number_findings(column, np.asarray(column.values)))


def _text_findings(column: CodedColumn, values: list[str], declared_categorical: bool) -> list[Finding]:
    numbers = _matching(values, lambda text: _NUMBER.match(text) is not None)
    share = column.counts[numbers].sum() / column.known
    if share == 1.0 and not declared_categorical:
        return [Finding("numbers as text", "every value is a number: give numbers, or --categorical if they are codes")]
    if _NEARLY_ALL <= share < 1.0:
        row, value = _first(column, ~numbers)
        return [
            Finding(
                "mixed types",
                f"{column.counts[numbers].sum():,} of {column.known:,} values are numbers; the first that is none is"
                f" {value!r} in row {row}: correct it",
            )
        ]
    dates = _matching(values, _is_date)
    if column.counts[dates].sum() / column.known >= _NEARLY_ALL:
        row, value = _first(column, dates)
        return [Finding("dates as text", f"such as {value!r} in row {row}: give times, of which models can learn")]
    return []


def _number_findings(column: CodedColumn, values: Numbers) -> list[Finding]:
    found = []
    finite = np.isfinite(values)
    if not finite.all():
        row, value = _first(column, ~finite)
        count = column.counts[~finite].sum()
        found.append(
            Finding("infinite", f"{count:,} values are infinite, the first {value} in row {row}: correct them")
        )
    whole = bool(np.all(values[finite] == np.floor(values[finite])))
    if 2 < len(values) <= FEW_VALUES and whole and 2 * len(values) <= column.known:
        found.append(
            Finding(
                "perhaps a category",
                f"takes {len(values)} whole values only: give --categorical if they have no order",
            )
        )
    marks = _marks(values, column.counts)
    for at in np.flatnonzero(marks).tolist():
        row, value = _first(column, np.arange(len(values)) == at)
        found.append(
            Finding(
                "perhaps missing",
                f"{column.counts[at]:,} values are {value}, far from the others, the first in row {row}: leave them"
                " empty if they mark what is missing",
            )
        )
    negative = finite & (values < 0.0) & ~marks
    below = int(column.counts[negative].sum())
    if 0 < below < _FEW * column.known:
        row, value = _first(column, negative)
        found.append(
            Finding(
                "few negatives", f"{below:,} of {column.known:,} values are below 0, the first {value} in row {row}"
            )
        )
    return found


def _marks(values: Numbers, counts: Counts) -> Chosen:
    """Return which of the ascending values may mark what is missing, bool[d].

    They are the least or the greatest, made of nines, occur more than once, and are farther from the rest than the
    rest is wide.
    """
    marks = np.zeros(len(values), dtype=np.bool_)
    if len(values) > 3 and np.isfinite(values).all():
        marks[0] = values[1] / 2.0 - values[0] / 2.0 > values[-1] / 2.0 - values[1] / 2.0
        marks[-1] = values[-1] / 2.0 - values[-2] / 2.0 > values[-2] / 2.0 - values[0] / 2.0
    for at in np.flatnonzero(marks).tolist():
        marks[at] = counts[at] > 1 and _NINES.match(f"{values[at]:.12g}") is not None
    return marks


def _first(column: CodedColumn, chosen: Chosen) -> tuple[int, str]:
    """Return the first row whose value is among the distinct ones chosen, bool[d], and the value as text."""
    row = int(np.flatnonzero(np.append(chosen, False)[column.code])[0])
    value = column.values[column.code[row]]
    return row, value if isinstance(value, str) else f"{value:.6g}"


def _matching(values: list[str], test: Callable[[str], bool]) -> Chosen:
    return np.fromiter(map(test, values), dtype=np.bool_, count=len(values))


def _is_date(text: str) -> bool:
    if _DAY.match(text) is not None:
        return True
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        return False
    # Python reads 20260101 as a day, too; it is a number here.
    return "-" in text
