from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from training.history import HistoryError
from training.market.report_series import PriceSeries, read_series, shipped_series

DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
START_NS = 1_767_225_600_000_000_000


def read(path: Path, symbol: str | None = None) -> PriceSeries:
    """Read with bars of 1 minute."""
    return read_series(path, symbol, bar_minutes=1, year="us_exchange")


def write(folder: Path, text: str) -> Path:
    """Write a CSV file."""
    path = folder / "acme.csv"
    path.write_text(text)
    return path


def test_daily_bars_are_read_in_order_of_time(tmp_path: Path) -> None:
    """Dates before 2000 too; names of columns in any case of letters; the file names the symbol."""
    found = read(write(tmp_path, "Date,Open,Close\n1999-01-05,1,12.5\n1999-01-04,2,10\n"))
    assert found.close.tolist() == [10.0, 12.5]
    assert np.diff(found.end_ns).tolist() == [DAY_NS]
    assert found.end_ns[0] == 915_408_000_000_000_000
    assert (found.symbol, found.bar, found.bars_per_year) == ("acme", "one day", 252.0)
    assert found.log_return_percent.tolist() == pytest.approx([100.0 * np.log(1.25)])


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    """Timestamps and numbers of a Parquet file give the same series."""
    path = tmp_path / "acme.parquet"
    times = pa.array([START_NS, START_NS + DAY_NS], pa.timestamp("ns"))
    pa.parquet.write_table(pa.table({"timestamp": times, "price": [1.0, 2.0]}), path)
    found = read(path)
    assert (found.end_ns.tolist(), found.close.tolist()) == ([START_NS, START_NS + DAY_NS], [1.0, 2.0])


def test_one_symbol_of_several_is_chosen(tmp_path: Path) -> None:
    """The others' rows are left out."""
    path = write(tmp_path, "date,symbol,close\n2026-01-01,A,1\n2026-01-01,B,5\n2026-01-02,A,2\n")
    found = read(path, "A")
    assert (found.symbol, found.close.tolist()) == ("A", [1.0, 2.0])


@pytest.mark.parametrize("kind", ["quotes", "trades"])
def test_ticks_become_the_bars_of_the_stream(tmp_path: Path, kind: str) -> None:
    """Each bar's close is the last price of its minute, and the first bar has no return of its own."""
    random = np.random.default_rng(2)
    times = START_NS + np.cumsum(random.integers(1, 40, 300)) * 1_000_000_000
    prices = np.round(100.0 + np.cumsum(random.normal(size=300)), 2)
    columns = "bid,ask" if kind == "quotes" else "price,size"
    rows = [f"A,{time},{price},{price if kind == 'quotes' else 100}" for time, price in zip(times, prices, strict=True)]
    found = read(write(tmp_path, f"symbol,event_time,{columns}\n" + "\n".join(rows) + "\n"))
    closes = dict(zip((times // MINUTE_NS).tolist(), prices.tolist(), strict=True))
    # The last bar is still open, and the first closes with no bar before it.
    assert found.close.tolist() == list(closes.values())[1:-1]
    assert found.end_ns.tolist() == [(minute + 1) * MINUTE_NS for minute in list(closes)[1:-1]]
    assert (np.diff(found.end_ns) > 0).all()
    assert found.bar == "one minute"


def test_the_shipped_series_is_the_s_and_p_500() -> None:
    """5,031 days from 1999 to 2018, as arch's documentation has them."""
    found = shipped_series()
    assert len(found.close) == 5031
    assert (np.diff(found.end_ns) > 0).all()
    assert found.close[0] == pytest.approx(1228.10, abs=0.01)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("day,close\n2026-01-01,1\n", "has no column date or time"),
        ("date,last\n2026-01-01,1\n", "has no column close or adj close"),
        ("date,close\nfirst,1\n", "date: is not a column of dates"),
        ("date,close\n20260101,1\n", "date: is not a column of dates"),
        ("date,close\n2026-01-01,dear\n", "close: is not a column of numbers"),
        ("date,close\n2026-01-01,1\n2026-01-02,0\n", "row 1, close=0.0: is no price or date"),
        ("date,close\n2026-01-01,1\n2026-01-02,\n", "row 1, close=nan: is no price or date"),
        ("date,close\n2026-01-01,1\n2026-01-01,2\n", "row 1, date: is there twice"),
        ("date,symbol,close\n2026-01-01,A,1\n2026-01-01,B,5\n", "--symbol : give one of A, B"),
        ("symbol,event_time,bid,ask\nA,1,1,1\n", "event_time"),
        ("", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, says: str) -> None:
    """The error names the file, the column, the row, the value and the remedy."""
    with pytest.raises(HistoryError, match=says):
        read(write(tmp_path, text))


def test_an_unknown_symbol_is_refused(tmp_path: Path) -> None:
    """The error tells which there are."""
    path = write(tmp_path, "date,symbol,close\n2026-01-01,A,1\n")
    with pytest.raises(HistoryError, match="--symbol C: give one of A"):
        read(path, "C")
