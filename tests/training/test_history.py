from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from training.history import DAY_NS, HistoryError, read_history

DAY = datetime(2026, 1, 1, tzinfo=UTC)
DAY_START_NS = int(DAY.timestamp()) * 1_000_000_000
GOOD: dict[str, list[Any]] = {
    "transaction_id": ["b", "a", "c"],
    "customer_id": ["007", "7", "x"],
    "merchant_id": ["m", "m", "n"],
    "amount": [1.5, 0.0, 1e9],
    "event_time": ["2026-01-02T00:00:00", "2026-01-02T00:00:00", "2026-01-01T00:00:01"],
    "fraud": [0, 1, 0],
}


def csv(folder: Path, columns: dict[str, list[Any]]) -> Path:
    """Write columns as CSV; None is an empty field."""
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    path = folder / "history.csv"
    path.write_text("".join(",".join("" if value is None else str(value) for value in row) + "\n" for row in rows))
    return path


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    """Write columns as Parquet."""
    path = folder / "history.parquet"
    pyarrow.parquet.write_table(pa.table(columns), path)
    return path


def test_rows_come_in_order_of_time_and_id(tmp_path: Path) -> None:
    """Transactions are sorted by event time, then id; every column goes with its row, and ids stay texts."""
    history = read_history(csv(tmp_path, GOOD), {})
    assert history.transaction_id == ["c", "a", "b"]
    assert history.customer_id == ["x", "7", "007"]
    assert history.merchant_id == ["n", "m", "m"]
    assert history.amount.tolist() == [1e9, 0.0, 1.5]
    assert (history.event_time_ns - DAY_START_NS).tolist() == [1_000_000_000, DAY_NS, DAY_NS]
    assert history.fraud.tolist() == [False, True, False]
    assert (history.label_time_ns - history.event_time_ns).tolist() == [7 * DAY_NS] * 3


def test_parquet_reads_as_csv_does(tmp_path: Path) -> None:
    """The same rows in Parquet, their times as timestamps of microseconds, give the same history."""
    times = [datetime.fromisoformat(text) for text in GOOD["event_time"]]
    typed = parquet(tmp_path, GOOD | {"event_time": pa.array(times, pa.timestamp("us"))})
    one, other = read_history(csv(tmp_path, GOOD), {}), read_history(typed, {})
    assert one.transaction_id == other.transaction_id
    assert one.customer_id == other.customer_id
    assert np.array_equal(one.amount, other.amount)
    assert np.array_equal(one.event_time_ns, other.event_time_ns)
    assert np.array_equal(one.fraud, other.fraud)


def test_columns_are_mapped(tmp_path: Path) -> None:
    """A mapped column takes the field's place, and a column under the field's own name is then not looked at."""
    columns = GOOD | {"CARD": ["k1", "k2", "k3"], "amount": ["?"] * 3, "CENTS": [150, 0, 999]}
    history = read_history(csv(tmp_path, columns), {"customer_id": "CARD", "amount": "CENTS"}, amount_divisor=100.0)
    assert history.customer_id == ["k3", "k2", "k1"]
    assert history.amount.tolist() == [9.99, 0.0, 1.5]


def test_rows_without_an_id_are_numbered(tmp_path: Path) -> None:
    """Without transaction_id a row's number is its id, and equal times keep the file's order."""
    columns = {name: column for name, column in GOOD.items() if name != "transaction_id"}
    history = read_history(csv(tmp_path, columns), {})
    assert history.transaction_id == ["row-0000000002", "row-0000000000", "row-0000000001"]


@pytest.mark.parametrize(("unit", "per_second"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_integer_times_have_a_unit_and_an_origin(tmp_path: Path, unit: Any, per_second: int) -> None:
    """Integers count the unit from the origin."""
    columns = GOOD | {"event_time": [2 * per_second, 3 * per_second, 0]}
    history = read_history(csv(tmp_path, columns), {}, time_unit=unit, time_origin_ns=DAY_START_NS)
    assert (history.event_time_ns - DAY_START_NS).tolist() == [0, 2_000_000_000, 3_000_000_000]


def test_times_with_a_zone_are_converted(tmp_path: Path) -> None:
    """A time with an offset is the moment it names."""
    columns = GOOD | {"event_time": ["2026-01-01T01:00:00+01:00", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"]}
    history = read_history(csv(tmp_path, columns), {})
    assert (history.event_time_ns - DAY_START_NS).tolist() == [0, 1_000_000_000, 2_000_000_000]


def test_label_times_are_read_or_follow_the_delay(tmp_path: Path) -> None:
    """A given label time is taken; without one, frauds become known after the delay."""
    given = read_history(csv(tmp_path, GOOD | {"label_time": ["2026-01-05"] * 3}), {})
    assert (given.label_time_ns - DAY_START_NS).tolist() == [4 * DAY_NS] * 3
    delayed = read_history(csv(tmp_path, GOOD), {}, delay_days=0.5)
    assert (delayed.label_time_ns - delayed.event_time_ns).tolist() == [DAY_NS // 2] * 3


def test_without_a_fraud_column_nothing_is_fraud(tmp_path: Path) -> None:
    """A history to send needs no labels."""
    columns = {name: column for name, column in GOOD.items() if name != "fraud"}
    assert not read_history(csv(tmp_path, columns), {}).fraud.any()


@pytest.mark.parametrize(
    ("change", "mapping", "told"),
    [
        ({}, {"customer": "customer_id"}, "--map customer: is no field"),
        ({}, {"customer_id": "CARD"}, "has no column 'CARD' for customer_id; it has transaction_id, customer_id"),
        ({"amount": [1, 2, -3]}, {}, "row 2, amount=-3.0: is not in 0 to 1e9"),
        ({"amount": [1, None, 3]}, {}, "row 1, amount=nan: is missing or not finite"),
        ({"amount": [1, "x", 3]}, {}, "amount: is not a column of numbers"),
        ({"customer_id": ["a", None, "b"]}, {}, "row 1, customer_id=''"),
        ({"customer_id": ["a", "b", "c" * 65]}, {}, "row 2, customer_id='ccc"),
        ({"transaction_id": ["a", "b", "a"]}, {}, "row 2, transaction_id='a': is also that of row 0"),
        ({"event_time": ["2026-01-01", None, "2026-01-02"]}, {}, "row 1, event_time: is missing"),
        ({"event_time": ["2026-01-01", "soon", "2026-01-02"]}, {}, "event_time: is not a column of times"),
        ({"event_time": [1, 2, 3]}, {}, "row 0, event_time=1: is not in the years 2000 to 2099"),
        ({"event_time": [2**62] * 3}, {}, "is not in the years 2000 to 2099"),
        ({"fraud": [0, 2, 1]}, {}, "row 1, fraud=2.0: is neither 0 nor 1"),
        ({"label_time": ["2025-01-01"] * 3}, {}, "is before event_time"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, change: Any, mapping: dict[str, str], told: str) -> None:
    """The error names column, row, value and remedy."""
    with pytest.raises(HistoryError) as refused:
        read_history(csv(tmp_path, GOOD | change), mapping)
    assert told in str(refused.value)


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    """A path that is absent, of another kind, empty or broken is told as such."""
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 no more")
    other = tmp_path / "history.json"
    other.write_text("{}")
    for path, told in (
        (tmp_path / "none.csv", "is no file"),
        (other, "ends in '.json'"),
        (broken, "cannot be read"),
        (csv(tmp_path, {name: [] for name in GOOD}), "has no rows"),
    ):
        with pytest.raises(HistoryError, match=told):
            read_history(path, {})
