"""Bars made slowly and plainly: the rules of the bar builder, with lists of what each bar took."""

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from risk.bars.bar_spec import DAY_NS, BarSpecification, SessionHours, TickBars, TimeBars, VolumeBars


class PlainTick(NamedTuple):
    """A tick; what it has not is None."""

    time_ns: int
    quote: tuple[float, float] | None
    trade: tuple[float, float] | None
    sequence: int | None


class Taken(NamedTuple):
    """A tick that counts: `is_new` tells whether it moves the close, `log_return` is None where it has none."""

    time_ns: int
    price: float
    size: float
    spread: float | None
    is_new: bool
    log_return: float | None
    silence_ns: int


class PlainBar(NamedTuple):
    """A closed bar, by the names of the columns."""

    start_ns: int
    end_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    ticks: int
    log_return_percent: float
    overnight_return_percent: float
    realised_variance_percent2: float
    bipower_variance_percent2: float
    parkinson_variance_percent2: float
    garman_klass_variance_percent2: float
    spread_percent: float
    first_of_session: bool
    gap_ns: int
    silence_ns: int
    skipped_outliers: int
    skipped_stale: int
    skipped_crossed: int
    outside_hours: int
    late: int
    repeated: int
    missing_sequences: int


def session_of(hours: SessionHours | None, time_ns: int) -> int | None:
    """Return the day on which a time's session opened, None outside of the hours."""
    if hours is None:
        return 0
    for day in (time_ns // DAY_NS - 1, time_ns // DAY_NS):
        opens = day * DAY_NS + hours.open_ns
        if opens <= time_ns < opens + hours.length_ns and (day + 3) % 7 in hours.weekdays:
            return day
    return None


@dataclass
class PlainSymbol:
    """Everything known of a symbol."""

    rule: BarSpecification
    clock_ns: int | None = None
    session: int | None = None
    last_price: float | None = None
    previous: tuple[int, float] | None = None
    bar: list[Taken] = field(default_factory=list)
    bar_session: int = 0
    is_first: bool = False
    before: tuple[int, float] | None = None
    overnight: float = 0.0
    highest: int | None = None
    came: set[int] = field(default_factory=set)
    quoted: tuple[tuple[float, float], int] | None = None
    mean_change: float = 0.0
    held: tuple[int, float, float, float | None] | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, by: int = 1) -> None:
        """Count what happened since the bar before."""
        self.counts[name] = self.counts.get(name, 0) + by

    def start_ns(self) -> int:
        """Return when the open bar started."""
        if not isinstance(self.rule.closes, TimeBars):
            return self.bar[0].time_ns
        length = self.rule.closes.length_ns
        origin = 0 if self.rule.hours is None else self.bar_session * DAY_NS + self.rule.hours.open_ns
        return origin + (self.bar[0].time_ns - origin) // length * length

    def end_ns(self) -> int:
        """Return when the open bar ends."""
        if not isinstance(self.rule.closes, TimeBars):
            earliest = 0 if self.previous is None else self.previous[0] + 1
            assert self.clock_ns is not None
            return max(self.clock_ns, earliest)
        end = self.start_ns() + self.rule.closes.length_ns
        if self.rule.hours is None:
            return end
        return min(end, self.bar_session * DAY_NS + self.rule.hours.open_ns + self.rule.hours.length_ns)

    def is_repeat(self, number: int, is_after_clock: bool) -> bool:
        """Return whether a number came before."""
        if self.highest is None:
            self.highest, self.came = number, {number}
        elif number > self.highest:
            self.count("missing_sequences", number - self.highest - 1)
            self.counts["missing_sequences"] = min(self.counts["missing_sequences"], 10**15)
            self.came = {one for one in self.came if one > number - 60} | {number}
            self.highest = number
        elif number in self.came and not is_after_clock:
            self.count("repeated")
            return True
        elif number > self.highest - 60 and number not in self.came:
            self.came.add(number)
            self.counts["missing_sequences"] = max(0, self.counts.get("missing_sequences", 0) - 1)
        elif is_after_clock:
            self.highest, self.came = number, {number}
        return False

    def take(self, tick: PlainTick) -> list[PlainBar]:
        """Take a tick; return the bars that it closed."""
        if tick.quote is not None and tick.quote[0] > tick.quote[1]:
            self.count("skipped_crossed")
            return []
        latest = max(self.clock_ns or 0, self.held[0] if self.held else 0)
        if tick.sequence is not None and self.is_repeat(tick.sequence, tick.time_ns > latest):
            return []
        if session_of(self.rule.hours, tick.time_ns) is None:
            self.count("outside_hours")
            return []
        is_late = tick.time_ns < latest
        if tick.quote is not None and tick.trade is None and not is_late:
            if self.quoted is None or self.quoted[0] != tick.quote:
                self.quoted = tick.quote, tick.time_ns
            elif self.rule.stale_after_ns and tick.time_ns - self.quoted[1] > self.rule.stale_after_ns:
                self.count("skipped_stale")
                return []
        price, spread = None, None
        if tick.quote is not None:
            middle = 0.5 * (tick.quote[0] + tick.quote[1])
            spread = 100.0 * (tick.quote[1] - tick.quote[0]) / middle
            price = middle if self.rule.prices != "trades" else None
        if tick.trade is not None and self.rule.prices != "quotes":
            price = tick.trade[0]
        size = tick.trade[1] if tick.trade is not None else 0.0
        outliers = self.rule.outliers
        bars: list[PlainBar] = []
        if outliers is not None and price is not None and self.last_price is not None:
            change = abs(100.0 * (math.log(price) - math.log(self.last_price)))
            limit = max(outliers.deviations * self.mean_change, outliers.floor_percent)
            if is_late and change > limit:
                self.count("skipped_outliers")
                return []
            if not is_late:
                held, self.held = self.held, None
                if held is None and change > limit:
                    self.held = tick.time_ns, price, size, spread
                    return []
                self.mean_change *= outliers.decay
                self.mean_change += (1.0 - outliers.decay) * min(change, limit)
                if held is not None:
                    same_side = (price > self.last_price) == (held[1] > self.last_price)
                    if change > limit and same_side:
                        bars += self.add(*held, is_price=True)
                    else:
                        self.count("skipped_outliers")
                        if change > limit:
                            self.held = tick.time_ns, price, size, spread
                            return []
        if price is None and self.last_price is None:
            return bars
        return bars + self.add(tick.time_ns, price or self.last_price or 0.0, size, spread, is_price=price is not None)

    def add(self, time_ns: int, price: float, size: float, spread: float | None, *, is_price: bool) -> list[PlainBar]:
        """Add a tick that counts."""
        bars: list[PlainBar] = []
        is_time = isinstance(self.rule.closes, TimeBars)
        if self.clock_ns is not None and time_ns < self.clock_ns:
            if not self.bar or time_ns < self.start_ns():
                self.count("late")
                return bars
            self.bar.append(Taken(time_ns, price, size, spread, False, None, 0))
        else:
            session = session_of(self.rule.hours, time_ns)
            assert session is not None
            is_new_session = self.clock_ns is not None and (
                session != self.session
                or (self.rule.pause_ns is not None and time_ns - self.clock_ns > self.rule.pause_ns)
            )
            if self.bar and (is_new_session or (is_time and time_ns >= self.end_ns())):
                bars += self.close()
            if not self.bar:
                self.bar_session, self.is_first, self.overnight = session, is_new_session, 0.0
                self.before = None
                if not is_new_session and self.clock_ns is not None and self.last_price is not None:
                    self.before = self.clock_ns, self.last_price
            log_return = None
            if is_price and self.last_price is not None:
                log_return = 100.0 * (math.log(price) - math.log(self.last_price))
            if is_new_session:
                self.overnight, log_return = log_return or 0.0, None
            silence_ns = 0 if is_new_session or self.clock_ns is None else time_ns - self.clock_ns
            self.bar.append(Taken(time_ns, price, size, spread, True, log_return, silence_ns))
            self.clock_ns, self.session, self.last_price = time_ns, session, price
        match self.rule.closes:
            case TickBars(ticks=ticks) if len(self.bar) >= ticks:
                bars += self.close()
            case VolumeBars(volume=volume) if sum(one.size for one in self.bar) >= volume:
                bars += self.close()
        return bars

    def returns(self, close: float) -> list[float]:
        """Return those that the variances of the open bar take."""
        if self.rule.sample_ns is None:
            return [one.log_return for one in self.bar if one.log_return is not None]
        path = [(one.time_ns, one.price) for one in self.bar if one.is_new]
        path = [path[0] if self.before is None else self.before, *path]
        samples = [path[0][1]]
        for (time_ns, price), (next_ns, _) in pairwise(path):
            if next_ns // self.rule.sample_ns > time_ns // self.rule.sample_ns:
                samples.append(price)
        return [100.0 * (math.log(b) - math.log(a)) for a, b in pairwise([*samples, close])]

    def close(self) -> list[PlainBar]:
        """Close the open bar; return it if it has a return."""
        bar, previous = self.bar, self.previous
        start_ns, end_ns = self.start_ns(), self.end_ns()
        close = [one.price for one in bar if one.is_new][-1]
        returns = self.returns(close)
        self.bar, self.previous = [], (end_ns, close)
        if previous is None:
            return []
        first, high, low = bar[0].price, max(one.price for one in bar), min(one.price for one in bar)
        spreads = [one.spread for one in bar if one.spread is not None]
        log_range = 100.0 * (math.log(high) - math.log(low))
        move = 100.0 * (math.log(close) - math.log(first))
        counts, self.counts = self.counts, {}
        names = PlainBar._fields[PlainBar._fields.index("skipped_outliers") :]
        return [
            PlainBar(
                start_ns,
                end_ns,
                first,
                high,
                low,
                close,
                sum(one.size for one in bar),
                len(bar),
                100.0 * (math.log(close) - math.log(previous[1])),
                self.overnight,
                sum(one**2 for one in returns),
                math.pi / 2 * sum(abs(a * b) for a, b in pairwise(returns)),
                log_range**2 / (4 * math.log(2)),
                0.5 * log_range**2 - (2 * math.log(2) - 1) * move**2,
                sum(spreads) / len(spreads) if spreads else 0.0,
                self.is_first,
                max(0, start_ns - previous[0]),
                max(one.silence_ns for one in bar),
                *(counts.get(name, 0) for name in names),
            )
        ]
