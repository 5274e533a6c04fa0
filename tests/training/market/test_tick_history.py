from pathlib import Path

import pytest

from training.history import HistoryError
from training.market.tick_history import read_ticks

HEADER = "symbol,event_time,bid,ask\n"
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


def test_columns_are_mapped(tmp_path: Path) -> None:
    """A symbol such as 005930 stays a text, under whatever name its column has."""
    text = f"TICKER,event_time,b,ask\n005930,{START_NS},1.0,1.5\n"
    ticks = read_ticks(write(tmp_path, text), {"symbol": "TICKER", "bid": "b"})
    assert (ticks.symbol, ticks.bid.tolist()) == (["005930"], [1.0])


@pytest.mark.parametrize(
    ("text", "mapping", "told"),
    [
        ("symbol,event_time,bid\n", {}, "ask=ask: map each of symbol, event_time, bid, ask"),
        (HEADER, {"price": "bid"}, "price=bid: map each of"),
        (HEADER + f"A,{START_NS},1.0,\n", {}, "row 0, ask=nan: is missing"),
        (HEADER + "A,5,1.0,1.0\n", {}, "row 0, event_time=5: is not in the years"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, mapping: dict[str, str], told: str) -> None:
    """The error names the column, the row and the remedy."""
    with pytest.raises(HistoryError) as refused:
        read_ticks(write(tmp_path, text), mapping)
    assert told in str(refused.value)
