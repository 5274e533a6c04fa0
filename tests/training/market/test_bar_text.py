import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.bars.bar_spec import TickBars, TimeBars, VolumeBars
from training.market.bar_text import parse_bars


@pytest.mark.parametrize(
    ("text", "bars"),
    [
        ("30s", TimeBars(30_000_000_000)),
        ("0.5s", TimeBars(500_000_000)),
        ("1m", TimeBars(60_000_000_000)),
        ("4h", TimeBars(14_400_000_000_000)),
        ("1d", TimeBars(86_400_000_000_000)),
        ("500t", TickBars(500)),
        ("10000v", VolumeBars(10_000.0)),
        ("2.5e3v", VolumeBars(2_500.0)),
    ],
)
def test_bars_are_read_as_people_write_them(text: str, bars: object) -> None:
    """A number and a unit: time, ticks or volume."""
    assert parse_bars(text) == bars


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "-5m", "0m", "0.5t", "5M", "5minutes", "1e12v", "nanm", "infv", "1e", "٣m" + "x"]
)
def test_anything_else_is_refused(text: str) -> None:
    """The error quotes what was given, and shows how bars are written."""
    with pytest.raises(ValueError, match="30s, 1m, 4h, 1d, 500t"):
        parse_bars(text)


@given(st.text(max_size=8) | st.from_regex(r"[0-9.e]{1,6}[smhdtv]", fullmatch=True))
def test_no_text_is_worse_than_refused(text: str) -> None:
    """Whatever is given, bars come out or a ValueError, and no bar is of nothing."""
    try:
        bars = parse_bars(text)
    except ValueError:
        return
    match bars:
        case TimeBars():
            assert bars.length_ns > 0
        case TickBars():
            assert bars.ticks > 0
        case VolumeBars():
            assert bars.volume > 0.0
