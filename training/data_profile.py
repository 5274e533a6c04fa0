"""The profile of a table: what is in each column, what looks wrong, and what knows the target too well.

Nothing in a profile but row numbers depends on the order of rows.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from training.coded_column import CodedColumn, code_column, tally
from training.column_checks import Finding, check_column
from training.duplicate_rows import duplicate_rows
from training.leakage import Suspect, leakage_reasons
from training.number_figures import NumberFigures, number_figures
from training.rank_correlation import CorrelatedPair, correlated_pairs
from training.table import Numbers, Table, Texts
from training.target_rates import (
    FEW_VALUES,
    RateBin,
    bins_information_value,
    missing_auc,
    most_frequent,
    rank_auc,
    rate_bins,
    value_label,
)
from training.wilson import wilson_interval

STRONG_CORRELATION = 0.95
_EXAMPLES = 10
_IDENTIFIER_ROWS = 20
_IDENTIFIER_SHARE = 0.95
# Amounts in small units hardly repeat, either.
_WHOLE_IDENTIFIER_SHARE = 0.99

Kind = Literal["number", "time", "category", "constant", "identifier"]
Flags = npt.NDArray[np.bool_]


class ProfileError(ValueError):
    """A target that cannot be used; the message names the option, the row, the value and the remedy."""


class CategoryCount(msgspec.Struct, frozen=True):
    """A text, or a number as text, and the number of rows that hold it."""

    value: str
    rows: int


class ColumnProfile(msgspec.Struct, frozen=True):
    """What is in a column of `rows` rows.

    A `time` is a number of seconds since the Unix epoch. An `identifier` is like one: whole numbers or texts that
    hardly repeat. `numbers` is None for texts and where no number is finite. `categories` are the 20 most frequent
    texts, or a number's values in their order if there are no more than 12; an identifier and a time have none.

    With a target that is another column, over the rows where it is known: `rates` by bin (none for texts that
    identify), `auc` of the values in their order, missing ones being least (None for categories), `missing_auc` of the
    flag of what is missing, and `information_value` of the bins. Shares are of 0 to 1.
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    missing_share: float
    distinct: int
    numbers: NumberFigures | None
    categories: tuple[CategoryCount, ...]
    rates: tuple[RateBin, ...]
    auc: float | None
    missing_auc: float | None
    information_value: float | None
    findings: tuple[Finding, ...]


class TargetProfile(msgspec.Struct, frozen=True):
    """The target: its column, the value that is the event, and the rate of events with Wilson's 95 % interval.

    `rows` are those where the target is known; `missing` the others, which the rates leave out.
    """

    name: str
    positive: str
    rows: int
    missing: int
    events: int
    rate: float
    low: float
    high: float


class DuplicateRow(msgspec.Struct, frozen=True):
    """The number of a row, from 0, and that of the first row which it repeats in every column."""

    row: int
    repeats: int


class DataProfile(msgspec.Struct, frozen=True):
    """The profile of a table: `duplicates` counts the rows that repeat an earlier one, of which some are examples."""

    rows: int
    target: TargetProfile | None
    columns: tuple[ColumnProfile, ...]
    duplicates: int
    duplicate_examples: tuple[DuplicateRow, ...]
    suspects: tuple[Suspect, ...]
    correlated: tuple[CorrelatedPair, ...]


def profile(
    table: Table, target: str | None = None, *, positive: str | None = None, categorical: Sequence[str] = ()
) -> DataProfile:
    """Return the profile of a table with at least one row and column.

    `target` names the column of what is to be foreseen: 0 and 1, true and false, or any two or more values of which
    `positive` is the event. `categorical` are the columns that were read as texts on purpose. Raises ProfileError for
    a target that is no column, holds other values, or has no event or nothing but events.

    >>> found = profile(Table({"x": np.array([1.0, 2.0, np.nan, 2.0]), "y": np.array([0.0, 1.0, 0.0, 1.0])}, 4), "y")
    >>> found.columns[0].missing, found.columns[0].auc, found.target.rate, found.duplicates
    (1, 1.0, 0.5, 1)
    """
    coded = {name: code_column(values) for name, values in table.columns.items()}
    event, labelled = np.zeros(table.rows, dtype=np.bool_), np.zeros(table.rows, dtype=np.bool_)
    about_target = None
    if target is not None:
        event, labelled, about_target = _target(table.columns, target, positive)
    columns: list[ColumnProfile] = []
    suspects: dict[str, list[str]] = {}
    for name, column in coded.items():
        told = _column(name, column, name in table.times, name in categorical)
        if target is not None and name != target:
            told, reasons = _with_target(told, column, labelled, event)
            suspects[name] = reasons
        columns.append(told)
    pairs = correlated_pairs(
        {one.name: coded[one.name] for one in columns if one.name != target and _has_order(one, coded[one.name])},
        above=STRONG_CORRELATION,
    )
    for name, reason in _times_in_disguise(columns, pairs):
        suspects.setdefault(name, []).append(reason)
    repeating, firsts = duplicate_rows(list(coded.values()))
    return DataProfile(
        rows=table.rows,
        target=about_target,
        columns=tuple(columns),
        duplicates=len(repeating),
        duplicate_examples=tuple(
            DuplicateRow(row, first)
            for row, first in zip(repeating[:_EXAMPLES].tolist(), firsts[:_EXAMPLES].tolist(), strict=True)
        ),
        suspects=tuple(Suspect(name, tuple(reasons)) for name, reasons in suspects.items() if reasons),
        correlated=pairs,
    )


def _column(name: str, column: CodedColumn, of_times: bool, declared_categorical: bool) -> ColumnProfile:
    kind = _kind(column, of_times)
    rows = len(column.code)
    missing = rows - column.known
    return ColumnProfile(
        name=name,
        kind=kind,
        rows=rows,
        missing=missing,
        missing_share=missing / rows,
        distinct=len(column.counts),
        numbers=None if isinstance(column.values, list) else number_figures(column),
        categories=_categories(kind, column),
        rates=(),
        auc=None,
        missing_auc=None,
        information_value=None,
        findings=check_column(column, declared_categorical=declared_categorical),
    )


def _categories(kind: Kind, column: CodedColumn) -> tuple[CategoryCount, ...]:
    if kind in ("identifier", "time"):
        return ()
    if isinstance(column.values, list):
        return tuple(CategoryCount(column.values[at], int(column.counts[at])) for at in most_frequent(column).tolist())
    if len(column.values) > FEW_VALUES:
        return ()
    return tuple(
        CategoryCount(value_label(value), count)
        for value, count in zip(column.values.tolist(), column.counts.tolist(), strict=True)
    )


def _kind(column: CodedColumn, of_times: bool) -> Kind:
    distinct = len(column.counts)
    if distinct <= 1:
        return "constant"
    many = column.known >= _IDENTIFIER_ROWS
    if isinstance(column.values, list):
        return "identifier" if many and distinct >= _IDENTIFIER_SHARE * column.known else "category"
    if of_times:
        return "time"
    unlike = many and distinct >= _WHOLE_IDENTIFIER_SHARE * column.known
    return "identifier" if unlike and _whole(column.values) else "number"


def _whole(values: Numbers) -> bool:
    return bool(np.all(np.isfinite(values)) and np.all(values == np.floor(values)))


def _has_order(told: ColumnProfile, column: CodedColumn) -> bool:
    """Tell whether a column's order may mean something: that of numbers does, and that of texts that number rows."""
    return not isinstance(column.values, list) or told.kind == "identifier"


def _with_target(
    told: ColumnProfile, column: CodedColumn, labelled: Flags, event: Flags
) -> tuple[ColumnProfile, list[str]]:
    """Return the column with what it tells of the target, and why it is suspected of leaking it."""
    counted = tally(column, labelled, event)
    texts = isinstance(column.values, list)
    rates = () if texts and told.kind == "identifier" else rate_bins(column, counted)
    auc = rank_auc(counted) if _has_order(told, column) else None
    value = bins_information_value(rates) if rates else None
    reasons = leakage_reasons(
        counted,
        column.values if isinstance(column.values, list) else column.values.tolist(),
        auc=auc,
        missing_auc=missing_auc(counted),
        information_value=value,
        identifier=told.kind == "identifier",
    )
    with_target = msgspec.structs.replace(
        told, rates=rates, auc=auc, missing_auc=missing_auc(counted), information_value=value
    )
    return with_target, reasons


def _times_in_disguise(columns: Sequence[ColumnProfile], pairs: Sequence[CorrelatedPair]) -> list[tuple[str, str]]:
    """Return the columns that are like identifiers and rise or fall with a column of times, and the reason."""
    kinds = {one.name: one.kind for one in columns}
    return [
        (one, f"is like an identifier, and goes with the times of {other!r}: it tells rows of one period apart")
        for pair in pairs
        for one, other in ((pair.first, pair.second), (pair.second, pair.first))
        if (kinds[one], kinds[other]) == ("identifier", "time")
    ]


def _target(
    columns: Mapping[str, Numbers | Texts], name: str, positive: str | None
) -> tuple[Flags, Flags, TargetProfile]:
    """Return which rows have the event, which have a target at all, and what is told of it."""
    if name not in columns:
        raise ProfileError(f"--target {name}: is no column; the file has {', '.join(columns)}")
    values = columns[name]
    if isinstance(values, np.ndarray):
        labelled = ~np.isnan(values)
        event = np.asarray(values == _positive_number(name, values, positive))
        event_name = positive or "1"
    else:
        labelled = np.array([value is not None for value in values])
        event = _text_events(name, values, positive)
        event_name = positive or "true"
    rows, events = int(labelled.sum()), int(event.sum())
    if not 0 < events < rows:
        raise ProfileError(
            f"--target {name}: is {event_name} in {events:,} of the {rows:,} rows that have it, and both must occur;"
            " name another column, or the event's value by --positive"
        )
    low, high = (float(bound[0]) for bound in wilson_interval(np.array([events]), np.array([rows])))
    about = TargetProfile(name, event_name, rows, len(labelled) - rows, events, events / rows, low, high)
    return event, labelled, about


def _positive_number(name: str, values: Numbers, positive: str | None) -> float:
    if positive is None:
        wrong = np.flatnonzero((values != 0.0) & (values != 1.0) & ~np.isnan(values))
        if len(wrong):
            raise ProfileError(
                f"--target {name}: row {wrong[0]} is {values[wrong[0]]:.12g}, neither 0 nor 1; correct it, or say by"
                " --positive which value is the event"
            )
        return 1.0
    try:
        return float(positive)
    except ValueError:
        raise ProfileError(f"--positive {positive}: is no number, and {name} holds numbers; give one of them") from None


def _text_events(name: str, values: Texts, positive: str | None) -> Flags:
    if positive is not None:
        return np.array([value == positive for value in values])
    lower = [value.strip().lower() if value is not None else None for value in values]
    for row, value in enumerate(lower):
        if value not in (None, "true", "false"):
            raise ProfileError(
                f"--target {name}: row {row} is {values[row]!r}, neither true nor false; say by --positive which value"
                " is the event"
            )
    return np.array([value == "true" for value in lower])
