"""The traffic light over every window of 250 bars: how many exceedances each holds, and which are not green."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from risk.back_tests.back_test import TRAFFIC_LIGHT_LEVEL, WINDOW_BARS
from risk.back_tests.traffic_light import ZONES, traffic_light_zone
from training.market.report import MarketReport, SetAside


@dataclass(frozen=True, slots=True)
class NotGreen:
    """Windows one after the other of which none is green.

    The first begins at the bar that ended at `first_bar_ns`; they end at the bars from `first_end_ns` to `last_end_ns`.
    `exceedances` is the most in any of them, `zone` that one's; `set_aside` is true where each of them holds a bar of
    the period set aside.
    """

    first_bar_ns: int
    first_end_ns: int
    last_end_ns: int
    windows: int
    exceedances: int
    zone: str
    set_aside: bool


@dataclass(frozen=True, slots=True)
class Windows:
    """Every window of 250 bars, in order of its last bar, w of them.

    `end_ns` int64[w] is when that bar ended, `exceedances` int64[w] those within, `green` bool[w] whether these are few
    enough, `set_aside` bool[w] whether a bar of the period set aside is among them.
    """

    end_ns: NDArray[np.int64]
    exceedances: NDArray[np.int64]
    green: NDArray[np.bool_]
    set_aside: NDArray[np.bool_]
    not_green: tuple[NotGreen, ...]

    def __len__(self) -> int:
        return len(self.end_ns)

    @property
    def green_share(self) -> float | None:
        """The share of windows without a bar of the period set aside that are green; None if there is none."""
        return _share(self.green[~self.set_aside])

    @property
    def green_share_of_all(self) -> float | None:
        """The share of all windows that are green; None if there is none."""
        return _share(self.green)


def zone(exceedances: int, level: float = TRAFFIC_LIGHT_LEVEL) -> str:
    """Return the zone of a window of 250 bars with so many exceedances.

    >>> [zone(count) for count in (4, 5, 9, 10)]
    ['green', 'yellow', 'yellow', 'red']
    """
    return ZONES[traffic_light_zone(WINDOW_BARS, exceedances, level)]


def most_of_zone(name: str, level: float = TRAFFIC_LIGHT_LEVEL) -> int:
    """Return the most exceedances with which a window of 250 bars is in a zone.

    >>> most_of_zone("green"), most_of_zone("yellow")
    (4, 9)
    """
    return max(count for count in range(WINDOW_BARS + 1) if zone(count, level) == name)


def windows_of(report: MarketReport) -> Windows:
    """Return the windows of a report, at the level of its traffic light."""
    risk = report.traffic_light
    return traffic_light_windows(report.end_ns, risk.exceeded, risk.level, report.set_aside)


def traffic_light_windows(
    end_ns: NDArray[np.int64], exceeded: NDArray[np.bool_], level: float, set_aside: SetAside | None = None
) -> Windows:
    """Return every window of the bars that ended at `end_ns` int64[n] and `exceeded` bool[n]: n - 249 of them, or none.

    >>> windows = traffic_light_windows(np.arange(251), np.arange(251) < 5, 0.99)
    >>> windows.exceedances.tolist(), windows.green_share, windows.not_green[0].zone
    ([5, 4], 0.5, 'yellow')
    """
    within = np.zeros(len(end_ns), dtype=np.bool_)
    if set_aside is not None:
        within = (end_ns >= set_aside.first_ns) & (end_ns < set_aside.end_ns)
    counts = _sums(exceeded)
    touched = _sums(within) > 0
    ends = end_ns[WINDOW_BARS - 1 :]
    green = counts <= most_of_zone("green", level)
    return Windows(ends, counts, green, touched, _not_green(end_ns, ends, counts, green, touched, level))


def _not_green(
    end_ns: NDArray[np.int64],
    ends: NDArray[np.int64],
    counts: NDArray[np.int64],
    green: NDArray[np.bool_],
    touched: NDArray[np.bool_],
    level: float,
) -> tuple[NotGreen, ...]:
    # A run ends too where the period set aside begins or ends, so that a row is of the one kind or of the other.
    kind = np.concatenate([[0], np.where(green, 0, np.where(touched, 2, 1)), [0]])
    edges = np.flatnonzero(np.diff(kind))
    found = []
    for start, stop in zip(edges.tolist(), edges[1:].tolist(), strict=False):
        if kind[start + 1] == 0:
            continue
        most = int(counts[start:stop].max())
        found.append(
            NotGreen(
                first_bar_ns=int(end_ns[start]),
                first_end_ns=int(ends[start]),
                last_end_ns=int(ends[stop - 1]),
                windows=stop - start,
                exceedances=most,
                zone=zone(most, level),
                set_aside=bool(touched[start]),
            )
        )
    return tuple(found)


def _sums(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return how many are true in each window: int64[max(n - 249, 0)]."""
    total = np.concatenate([[0], np.cumsum(flags, dtype=np.int64)])
    return np.asarray(total[WINDOW_BARS:] - total[:-WINDOW_BARS], dtype=np.int64)


def _share(green: NDArray[np.bool_]) -> float | None:
    return float(np.mean(green)) if len(green) else None
