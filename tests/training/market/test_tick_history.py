from pathlib import Path

import numpy as np
import pytest

from training.history import HistoryError
from training.market.tick_history import read_ticks

HEADER = "symbol,event_time,bid,ask\n"
BOTH = "symbol,event_time,bid,ask,price,size\n"
START_NS = 1_767_225_600_000_000_000


def write(folder: Path, text: str) -> Path:
    """Write a CSV file."""
    path = folder / "ticks.csv"
    path.write_text(text)
    return path


def test_quotes_come_in_order_of_time_and_then_of_the_file(tmp_path: Path) -> None:
    """Quotes are sorted by time; equal times keep the file's order, which is the market's."""
    rows = f"B,{START_NS + 5},2.0,2.5\nA,{START_NS},1.0,1.5\nC,{START_NS + 5},3.0,3.5\nA,{START_NS + 5},4.0,4.5\n"
    ticks = read_ticks(write(tmp_path, HEADER + rows), {})
    assert ticks.symbol == ["A", "B", "C", "A"]
    assert (ticks.event_time_ns - START_NS).tolist() == [0, 5, 5, 5]
    assert ticks.bid.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert ticks.ask.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert np.isnan(ticks.price).all()
    assert ticks.sequence.tolist() == [-1] * 4


def test_trades_are_read(tmp_path: Path) -> None:
    """A file of trades gives prices, sizes and numbers, and no quotes."""
    text = f"symbol,event_time,price,size,sequence\nA,{START_NS + 1},2.0,100,8\nA,{START_NS},1.0,50.5,7\n"
    ticks = read_ticks(write(tmp_path, text), {})
    assert (ticks.price.tolist(), ticks.size.tolist(), ticks.sequence.tolist()) == ([1.0, 2.0], [50.5, 100.0], [7, 8])
    assert np.isnan([ticks.bid, ticks.ask]).all()


def test_quotes_and_trades_come_in_one_file(tmp_path: Path) -> None:
    """Rows of a file with both leave empty what they have not; a row may have both, and no number."""
    rows = f"A,{START_NS},1.0,1.5,,,\nA,{START_NS},,,2.0,100,3\nA,{START_NS},1.0,2.0,1.5,1,\n"
    ticks = read_ticks(write(tmp_path, "symbol,event_time,bid,ask,price,size,sequence\n" + rows), {})
    np.testing.assert_array_equal(ticks.bid, [1.0, np.nan, 1.0])
    np.testing.assert_array_equal(ticks.ask, [1.5, np.nan, 2.0])
    np.testing.assert_array_equal(ticks.price, [np.nan, 2.0, 1.5])
    np.testing.assert_array_equal(ticks.size, [np.nan, 100.0, 1.0])
    assert ticks.sequence.tolist() == [-1, 3, -1]


def test_columns_are_mapped(tmp_path: Path) -> None:
    """A symbol such as 005930 stays a text, under whatever name its column has."""
    text = f"TICKER,event_time,b,ask\n005930,{START_NS},1.0,1.5\n"
    ticks = read_ticks(write(tmp_path, text), {"symbol": "TICKER", "bid": "b"})
    assert (ticks.symbol, ticks.bid.tolist()) == (["005930"], [1.0])


@pytest.mark.parametrize(
    ("text", "mapping", "told"),
    [
        ("symbol,event_time,bid\n", {}, "ask=ask: map each of symbol, event_time, and of bid, ask or price, size, to"),
        ("symbol,event_time\n", {}, "bid=bid: map each of symbol, event_time"),
        ("symbol,event_time,price\n", {}, "size=size: map each of symbol, event_time"),
        (HEADER, {"spread": "ask"}, "spread=ask: map each of"),
        (HEADER, {"price": "bid"}, "size=size: map each of"),
        (HEADER + f"A,{START_NS},1.0,\n", {}, "row 0, ask=nan: is missing"),
        (HEADER + f"A,{START_NS},0.0,1.0\n", {}, "row 0, bid=0.0: is not more than 0"),
        (BOTH + f"A,{START_NS},1.0,,2.0,1\n", {}, "row 0, ask=nan: give both of bid and ask, or leave both empty"),
        (BOTH + f"A,{START_NS},,,,1\n", {}, "row 0, size=1.0: give both of price and size"),
        (BOTH + f"A,{START_NS},1.0,1.0,,\nA,{START_NS},,,,\n", {}, "row 1, bid=nan: the row has neither quote nor"),
        ("sequence," + HEADER + f"-2,A,{START_NS},1.0,1.0\n", {}, "row 0, sequence=-2: is less than 0"),
        ("sequence," + HEADER + f"1.5,A,{START_NS},1.0,1.0\n", {}, "sequence: is not a column of integers"),
        (HEADER + "A,5,1.0,1.0\n", {}, "row 0, event_time=5: is not in the years"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, mapping: dict[str, str], told: str) -> None:
    """The error names the column, the row and the remedy."""
    with pytest.raises(HistoryError) as refused:
        read_ticks(write(tmp_path, text), mapping)
    assert told in str(refused.value)
