"""Reads tables of par yields, one row a day and one column a tenor, as the US Treasury publishes them."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from training.history import HistoryError, read_table
from training.rates.rate_history import RateHistory

CLOSE_NS = 21 * 3_600_000_000_000
"""When a day's yields are known, after midnight UTC: the Treasury takes quotes at about 15:30 in New York."""

_FIRST_NS = 946_684_800_000_000_000
_DAY_NS = 86_400_000_000_000
_TENOR = re.compile(r"(?:BC_)?(\d+)[ _]?(M|MO|MONTH|Y|YR|YEAR)S?", re.IGNORECASE)


def read_par_curves(path: Path, currency: str = "USD", *, zero_is_missing: bool = True) -> RateHistory:
    """Return the curve points in a .csv or .parquet file, in order of time and then of tenor.

    The file has a column `date` (ISO 8601, or month/day/year) and one for each tenor, named such as BC_3MONTH, 3 Mo,
    3M, 10 Yr or 10Y; other columns are left out. Yields are in percent; an empty cell is a tenor that was not quoted.
    So is a zero, while `zero_is_missing`, in a tenor of a year or more, or before the tenor's first other yield: some
    copies of the Treasury's table write it, and its bills have yielded nothing at times. Days before 2000, which no
    event can have, are left out too. A day's event time is 21:00 UTC.

    Raises HistoryError, naming column, row and remedy.
    """
    table = read_table(path, text_columns=[])
    names = {name.lower(): name for name in table.column_names}
    months = {name: months_of(name) for name in table.column_names if months_of(name)}
    if "date" not in names or not months:
        raise HistoryError(
            f"{path}: has the columns {', '.join(table.column_names)}: give one named date, and one for each tenor,"
            " such as 3 Mo or 10Y"
        )
    date_ns = _dates_ns(path, table.column(names["date"]))
    if len(np.unique(date_ns)) < len(date_ns):
        raise HistoryError(f"{path}: date: has a day twice; drop one of them")
    tenors = sorted(months, key=lambda name: months[name])
    yields = np.column_stack([_yields(path, table.column(name), name) for name in tenors])
    tenor_months = np.array([months[name] for name in tenors], dtype=np.int64)
    order = np.argsort(date_ns, kind="stable")
    date_ns, yields = date_ns[order], yields[order]
    there = np.isfinite(yields)
    if zero_is_missing:
        started = np.cumsum(np.nan_to_num(yields) != 0.0, axis=0) > 0
        there &= (yields != 0.0) | (started & (tenor_months < 12))
    there &= (date_ns >= _FIRST_NS)[:, None]
    day, tenor = np.nonzero(there)
    return RateHistory([currency] * len(day), tenor_months[tenor], yields[day, tenor], date_ns[day] + CLOSE_NS)


def months_of(name: str) -> int:
    """Return the months that a column's name stands for, 0 for one that is no tenor.

    >>> months_of("BC_3MONTH"), months_of("10 Yr"), months_of("2Y"), months_of("BC_30YEARDISPLAY")
    (3, 120, 24, 0)
    """
    found = _TENOR.fullmatch(name.strip())
    if found is None:
        return 0
    return int(found[1]) * (12 if found[2].upper().startswith("Y") else 1)


def _dates_ns(path: Path, column: Any) -> npt.NDArray[np.int64]:
    import pyarrow as pa
    import pyarrow.compute

    try:
        if pa.types.is_string(column.type):
            column = pa.compute.strptime(column, format="%m/%d/%Y", unit="s")
        dates = column.cast(pa.timestamp("ns")).cast(pa.int64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise HistoryError(f"{path}: date: {error}; give dates such as 2024-12-31 or 12/31/2024") from None
    if dates.null_count:
        raise HistoryError(f"{path}: row {dates.to_pylist().index(None)}, date: is missing; drop the row or fill it")
    whole: npt.NDArray[np.int64] = np.asarray(dates.to_numpy(), dtype=np.int64) // _DAY_NS * _DAY_NS
    return whole


def _yields(path: Path, column: Any, name: str) -> npt.NDArray[np.float64]:
    """Return a column in percent, NaN where a cell is empty."""
    import pyarrow as pa

    try:
        values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise HistoryError(f"{path}: {name}: is not a column of yields: {error}; correct it") from None
    wrong = np.flatnonzero((values < -100.0) | (values > 1000.0))
    if len(wrong):
        raise HistoryError(
            f"{path}: row {wrong[0]}, {name}={values[wrong[0]]}: is not in -100 to 1000; give yields in percent"
        )
    return values
