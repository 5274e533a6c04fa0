"""How bars are made of ticks: what closes a bar, when a market trades, and which ticks are passed over."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from risk.market.pooled import POOLED

DAY_NS = 86_400_000_000_000

_LengthNs = Annotated[int, Meta(gt=0, le=2**62)]
_Positive = Annotated[float, Meta(gt=0.0, le=1e18)]

TIME, TICK, VOLUME = 0, 1, 2
"""What closes a bar, as the compiled loops tell it."""

BOTH, QUOTES, TRADES = 0, 1, 2
"""Which ticks make prices, as the compiled loops tell it."""

PriceSource = Literal["both", "quotes", "trades"]
_SOURCES: dict[PriceSource, int] = {"both": BOTH, "quotes": QUOTES, "trades": TRADES}


class TimeBars(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="time"):
    """Bars of equal length in event time, counted from the session's open, or from the Unix epoch without hours."""

    length_ns: _LengthNs


class TickBars(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="tick"):
    """Bars of as many ticks."""

    ticks: Annotated[int, Meta(ge=1, le=2**31)]


class VolumeBars(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="volume"):
    """Bars that close with the trade that brings their traded size to `volume`; a quote has no size."""

    volume: _Positive


class SessionHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A market's hours in UTC: ticks outside of them are passed over.

    A session opens at `open_ns` of a day, is `length_ns` long, which may reach into the next day, and opens on
    `weekdays`, 0 for Monday to 6 for Sunday. Hours that move with daylight saving time need bounds that hold both, or
    no hours and a pause that ends a session.
    """

    open_ns: Annotated[int, Meta(ge=0, lt=DAY_NS)]
    length_ns: Annotated[int, Meta(gt=0, le=DAY_NS)]
    weekdays: tuple[Annotated[int, Meta(ge=0, le=6)], ...] = (0, 1, 2, 3, 4)

    def __post_init__(self) -> None:
        if not self.weekdays or len(set(self.weekdays)) < len(self.weekdays):
            raise ValueError(
                f"weekdays {list(self.weekdays)}: name one or more, each once, 0 for Monday to 6 for Sunday"
            )


class OutlierRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which price is held until the next one confirms it.

    A price is held that lies further from the last one, in percent, than `deviations` times the mean absolute change
    from price to price, and further than `floor_percent`. The mean forgets with `decay`; no change counts in it with
    more than was allowed. The floor should be some ticks of the price grid, above the spread.
    """

    deviations: _Positive = 10.0
    floor_percent: _Positive = 0.1
    decay: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.99


class BarSpecification(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one symbol's bars are made.

    `prices` names the ticks that make prices: the middle of each quote, the price of each trade, or both as they come;
    the others add only their spread or volume, at the last price. A session ends at the end of its `hours`, and where
    no tick comes for more than `pause_ns`; a bar never reaches into the next. A quote that says again what has been
    quoted for more than `stale_after_ns` is passed over. Realised and bipower variance take the returns between the
    last prices before the multiples of `sample_ns`, since prices that bounce between bid and ask are no variance of the
    market's. What is left out does not apply; without samples, every price counts in them.

    Raises ValueError where a pause is shorter than bars of time, which could then be two of one time.

    >>> BarSpecification(closes=TimeBars(60), pause_ns=59)
    Traceback (most recent call last):
    ...
    ValueError: pause_ns 59 is shorter than the bars' length_ns 60: make it as long at least
    """

    closes: TimeBars | TickBars | VolumeBars
    prices: PriceSource = "both"
    hours: SessionHours | None = None
    pause_ns: _LengthNs | None = None
    stale_after_ns: _LengthNs | None = None
    sample_ns: _LengthNs | None = None
    outliers: OutlierRule | None = None

    def __post_init__(self) -> None:
        if isinstance(self.closes, TimeBars) and self.pause_ns is not None and self.pause_ns < self.closes.length_ns:
            raise ValueError(
                f"pause_ns {self.pause_ns} is shorter than the bars' length_ns {self.closes.length_ns}: make it as long"
                " at least"
            )


class BarSpecifications(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The specification of each symbol's bars; "*" stands for symbols without one of their own.

    Raises ValueError without it.

    >>> BarSpecifications({"SPY": BarSpecification(closes=TickBars(100))})
    Traceback (most recent call last):
    ...
    ValueError: symbols ['SPY'] lack "*": give the bars of symbols without a specification of their own
    """

    symbols: dict[str, BarSpecification]

    def __post_init__(self) -> None:
        if POOLED not in self.symbols:
            raise ValueError(
                f'symbols {sorted(self.symbols)} lack "{POOLED}": give the bars of symbols without a specification of'
                " their own"
            )


_RULES = np.dtype(
    [
        ("kind", "<i8"),
        ("length_ns", "<i8"),
        ("ticks", "<i8"),
        ("volume", "<f8"),
        ("prices", "<i8"),
        ("has_hours", "?"),
        ("open_ns", "<i8"),
        ("session_ns", "<i8"),
        ("weekdays", "<i8"),
        ("pause_ns", "<i8"),
        ("stale_after_ns", "<i8"),
        ("sample_ns", "<i8"),
        ("has_outliers", "?"),
        ("deviations", "<f8"),
        ("floor_percent", "<f8"),
        ("decay", "<f8"),
    ],
    align=True,
)


def rules_table(specifications: Iterable[BarSpecification]) -> NDArray[np.void]:
    """Return the specifications as the compiled loops read them, one row each; 0 where something does not apply.

    `weekdays` has a bit for each day, from Monday's on.
    """
    chosen = list(specifications)
    table = np.zeros(len(chosen), dtype=_RULES)
    for row, one in zip(table, chosen, strict=True):
        match one.closes:
            case TimeBars(length_ns=length_ns):
                row["kind"], row["length_ns"] = TIME, length_ns
            case TickBars(ticks=ticks):
                row["kind"], row["ticks"] = TICK, ticks
            case VolumeBars(volume=volume):
                row["kind"], row["volume"] = VOLUME, volume
        row["prices"] = _SOURCES[one.prices]
        row["pause_ns"], row["stale_after_ns"] = one.pause_ns or 0, one.stale_after_ns or 0
        row["sample_ns"] = one.sample_ns or 0
        if one.hours is not None:
            row["has_hours"], row["open_ns"], row["session_ns"] = True, one.hours.open_ns, one.hours.length_ns
            row["weekdays"] = sum(1 << day for day in one.hours.weekdays)
        if one.outliers is not None:
            row["has_outliers"], row["deviations"] = True, one.outliers.deviations
            row["floor_percent"], row["decay"] = one.outliers.floor_percent, one.outliers.decay
    return table
