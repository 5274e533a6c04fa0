from pathlib import Path

import pytest

from training.history import HistoryError
from training.market.position_history import read_positions

HEAD = "portfolio,event_time,quantity,symbol,currency,maturity,coupon_percent,frequency\n"
TIME = "2024-01-02T00:00:00"


def written(folder: Path, *rows: str) -> Path:
    """Write rows as CSV; return the file."""
    path = folder / "positions.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return path


def test_symbols_and_bonds_are_read_in_order_of_time(tmp_path: Path) -> None:
    """A row is a holding of a symbol, or of a bond, and leaves empty what it has not."""
    path = written(
        tmp_path,
        "p,2024-01-03T00:00:00,-5,SPY,,,,",
        f"p,{TIME},1000000,,USD,2034-01-02T00:00:00,4.5,2",
    )
    bond, symbol = read_positions(path, {})
    assert (symbol.symbol, symbol.quantity, symbol.currency) == ("SPY", -5.0, None)
    assert (bond.currency, bond.coupon_percent, bond.frequency, bond.quantity) == ("USD", 4.5, 2, 1_000_000.0)
    assert bond.maturity_ns == 2_019_772_800_000_000_000


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    """A field is looked for under the name that the mapping gives."""
    path = tmp_path / "p.csv"
    path.write_text(f"book,when,units,symbol\nb,{TIME},3,X\n")
    (one,) = read_positions(path, {"portfolio": "book", "event_time": "when", "quantity": "units"})
    assert (one.portfolio, one.quantity, one.symbol) == ("b", 3.0, "X")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (f"p,{TIME},5,SPY,USD,2034-01-02T00:00:00,4.5,2", "row 0: give a symbol, or all of"),
        (f"p,{TIME},5,,,,,", "row 0: give a symbol, or all of"),
        (f"p,{TIME},5,,USD,2034-01-02T00:00:00,,2", "row 0: give a symbol, or all of"),
        (f"p,{TIME},5,,USD,2034-01-02T00:00:00,4.5,3", "row 0: Invalid enum value 3"),
        (f"p,{TIME},5e12,SPY,,,,", "quantity"),
        (f",{TIME},5,SPY,,,,", "portfolio"),
        ("p,1066-01-01T00:00:00,5,SPY,,,,", "event_time"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, row: str, told: str) -> None:
    """The error names the row or the field, and says what to do."""
    with pytest.raises(HistoryError, match=told):
        read_positions(written(tmp_path, row), {})


def test_a_file_without_a_needed_column_is_refused(tmp_path: Path) -> None:
    """The columns that are there are named."""
    path = tmp_path / "p.csv"
    path.write_text(f"portfolio,event_time\np,{TIME}\n")
    with pytest.raises(HistoryError, match=r"quantity=quantity: map each of .* to one of portfolio, event_time"):
        read_positions(path, {})
