from pathlib import Path

import numpy as np
import pytest

from training.history import HistoryError
from training.rates.treasury import CLOSE_NS, months_of, read_par_curves


def write(folder: Path, text: str) -> Path:
    """Write a CSV file."""
    path = folder / "curves.csv"
    path.write_text(text)
    return path


def test_cells_become_points_in_order_of_time_and_tenor(tmp_path: Path) -> None:
    """Days and tenors are sorted; empty cells and foreign columns give nothing."""
    path = write(tmp_path, "date,10 Yr,3 Mo,note\n2024-01-03,4.0,5.1,x\n2024-01-02,3.9,,y\n")
    rates = read_par_curves(path, "EUR")
    assert rates.currency == ["EUR"] * 3
    assert rates.tenor_months.tolist() == [120, 3, 120]
    assert rates.rate_percent.tolist() == [3.9, 5.1, 4.0]
    days = (np.datetime64("2024-01-02", "ns"), np.datetime64("2024-01-03", "ns"))
    expected = [int(days[at].astype(np.int64)) + CLOSE_NS for at in (0, 1, 1)]
    assert rates.event_time_ns.tolist() == expected
    assert len(rates) == 3


def test_dates_as_the_treasury_writes_them_are_read(tmp_path: Path) -> None:
    """Month, day and year give the same day as ISO 8601."""
    american = read_par_curves(write(tmp_path, "Date,2 Yr\n12/31/2024,4.25\n"))
    assert american.event_time_ns[0] == read_par_curves(write(tmp_path, "date,2Y\n2024-12-31,4.25\n")).event_time_ns[0]


def test_a_zero_is_a_yield_only_where_bills_can_have_none(tmp_path: Path) -> None:
    """A note's zero, and a bill's before its first yield, are tenors that were not quoted, unless said otherwise."""
    path = write(tmp_path, "date,1M,2Y\n2001-07-30,0,4.0\n2001-07-31,3.67,0\n2011-01-03,0.0,0.6\n")
    assert read_par_curves(path).rate_percent.tolist() == [4.0, 3.67, 0.0, 0.6]
    assert read_par_curves(path, zero_is_missing=False).rate_percent.tolist() == [0.0, 4.0, 3.67, 0.0, 0.0, 0.6]


def test_days_before_2000_are_left_out(tmp_path: Path) -> None:
    """No event can have such a time, but they tell when a tenor began."""
    path = write(tmp_path, "date,1M\n1999-12-31,5.0\n2000-01-03,0.0\n")
    assert read_par_curves(path).rate_percent.tolist() == [0.0]


@pytest.mark.parametrize(
    ("name", "months"),
    [
        ("BC_1MONTH", 1), ("BC_30YEAR", 360), ("1 Mo", 1), ("1.5 Month", 0), ("20 Yr", 240), ("5y", 60), ("6M", 6),
        ("BC_30YEARDISPLAY", 0), ("date", 0),
    ],
)  # fmt: skip
def test_names_of_tenors(name: str, months: int) -> None:
    """The names of several publishers are understood, and others are no tenors."""
    assert months_of(name) == months


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("day,2Y\n2024-01-02,4\n", "give one named date"),
        ("date,note\n2024-01-02,4\n", "one for each tenor"),
        ("date,2Y\n2024-01-02,4\n2024-01-02,5\n", "has a day twice"),
        ("date,2Y\nyesterday,4\n", "give dates such as"),
        ("date,2Y\n2024-01-02,high\n", "2Y: is not a column of yields"),
        ("date,2Y\n2024-01-02,40000\n", "row 0, 2Y=40000.0: is not in -100 to 1000"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, told: str) -> None:
    """The error names the column, the row and the remedy."""
    with pytest.raises(HistoryError) as refused:
        read_par_curves(write(tmp_path, text))
    assert told in str(refused.value)


def test_the_treasury_table_is_read_whole(shared_data: Path) -> None:
    """From 2000 on each day has 10 or 11 tenors; 1 month began in July 2001 and 30 years paused from 2002."""
    rates = read_par_curves(shared_data / "rates" / "ust.csv")
    days, counts = np.unique(rates.event_time_ns, return_counts=True)
    lines = (shared_data / "rates" / "ust.csv").read_text().splitlines()[1:]
    assert len(days) == sum(line >= "2000" for line in lines)
    assert (counts.min(), counts.max()) == (10, 11)
    month = rates.event_time_ns[rates.tenor_months == 1].min()
    assert np.datetime64(int(month), "ns").astype("datetime64[D]") == np.datetime64("2001-07-31")
    long = rates.event_time_ns[rates.tenor_months == 360]
    assert np.diff(long).max() > 3.9 * 365 * 86_400_000_000_000
