"""Bars as people write them: 30s, 1m, 4h, 1d, 500t for ticks, 10000v for volume."""

import re

from risk.bars.bar_spec import TickBars, TimeBars, VolumeBars

_UNITS_NS = {
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}


def parse_bars(text: str) -> TimeBars | TickBars | VolumeBars:
    """Return what closes a bar; raises ValueError for anything else than a number and one of s, m, h, d, t and v.

    >>> parse_bars("5m"), parse_bars("500t"), parse_bars("1e4v")
    (TimeBars(length_ns=300000000000), TickBars(ticks=500), VolumeBars(volume=10000.0))
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?(?:e\d+)?)([smhdtv])", text)
    number = float(found[1]) if found else 0.0
    if found is None or not 0.0 < number <= 1e9 or (found[2] == "t" and number < 1.0):
        raise ValueError(f"{text!r}: write a number above 0 and a unit: 30s, 1m, 4h, 1d, 500t (ticks), 10000v (volume)")
    match found[2]:
        case "t":
            return TickBars(int(number))
        case "v":
            return VolumeBars(number)
        case unit:
            return TimeBars(int(number * _UNITS_NS[unit]))


def parse_length_ns(text: str) -> int:
    """Return a length of time in nanoseconds; raises ValueError for anything but a number and one of s, m, h and d.

    >>> parse_length_ns("2h")
    7200000000000
    """
    found = parse_bars(text)
    if not isinstance(found, TimeBars):
        raise ValueError(f"{text!r}: is no time; write 30s, 15m or 2h")
    return found.length_ns
