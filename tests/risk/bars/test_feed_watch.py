import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from market_alert_steps import STALE_AFTER_NS, WATCHED, ticks
from steps import Events

from risk.bars.bar_spec import DAY_NS, BarSpecification, BarSpecifications, SessionHours, TimeBars
from risk.bars.feed_watch import FeedWatch
from tests.risk.bars.plain_bars import session_of

THURSDAY_NS = 1_767_225_600_000_000_000
"""Midnight of 2026-01-01."""

Stale = tuple[int, str, int, int]


def plain(events: Events) -> list[Stale]:
    """Return (index, symbol, since, silence) of each silence, by the rule as it is told."""
    last: dict[str, int] = {}
    told: set[str] = set()
    clock, found = 0, []

    def silence(symbol: str, now: int) -> tuple[int, int]:
        hours = WATCHED.symbols.get(symbol, WATCHED.symbols["*"]).hours
        session = session_of(hours, now)
        if session is None:
            return now, 0
        since = last[symbol] if hours is None else max(last[symbol], session * DAY_NS + hours.open_ns)
        return since, now - since

    for at, (symbol, now) in enumerate(zip(events["symbol"], events["event_time_ns"].tolist(), strict=True)):
        here = []
        if symbol in last and symbol not in told and silence(symbol, now)[1] > STALE_AFTER_NS:
            here.append((at, symbol, *silence(symbol, now)))
        last[symbol] = max(last.get(symbol, 0), now)
        if clock - now <= STALE_AFTER_NS:
            told.discard(symbol)
        if now // (STALE_AFTER_NS // 4) > clock // (STALE_AFTER_NS // 4):
            for other in last:
                if other not in told and silence(other, now)[1] > STALE_AFTER_NS:
                    told.add(other)
                    here.append((at, other, *silence(other, now)))
        clock = max(clock, now)
        found += sorted(here)
    return found


@given(st.integers(0, 2**32 - 1))
def test_silences_are_those_of_a_plain_twin(seed: int) -> None:
    """Every silence is found out by the tick, and is as long, as a slow twin in plain Python says."""
    events = ticks(np.random.default_rng(seed), 150)
    stale = FeedWatch(STALE_AFTER_NS, WATCHED).advance(**events)
    columns = (stale.index.tolist(), stale.symbol, stale.since_ns.tolist(), stale.silence_ns.tolist())
    assert list(zip(*columns, strict=True)) == plain(events)


def test_silences_of_every_kind_are_met() -> None:
    """The ticks that silences are compared on find out some by other symbols' ticks, and some by the symbol's own."""
    events = ticks(np.random.default_rng(3), 3_000)
    stale = FeedWatch(STALE_AFTER_NS, WATCHED).advance(**events)
    own = [events["symbol"][index] == symbol for index, symbol in zip(stale.index.tolist(), stale.symbol, strict=True)]
    assert len(own) > sum(own) > 10
    assert {"s0", "s1", "s4"} <= set(stale.symbol)


def watched(time_ns: list[int], symbols: str, hours: SessionHours | None = None) -> list[Stale]:
    """Return what a watch with a limit of 40 finds in ticks of symbols of one letter; A has the hours."""
    specification = BarSpecification(closes=TimeBars(10), hours=hours)
    watch = FeedWatch(40, BarSpecifications({"A": specification, "*": BarSpecification(closes=TimeBars(10))}))
    stale = watch.advance([*symbols], np.array(time_ns) + THURSDAY_NS)
    since = (stale.since_ns - THURSDAY_NS).tolist()
    return list(zip(stale.index.tolist(), stale.symbol, since, stale.silence_ns.tolist(), strict=True))


def test_a_feed_that_stops_is_found_out_by_the_others_once() -> None:
    """A symbol without ticks beyond the limit is told at the next look at the clock, and again once it was back."""
    assert watched([0, 0, 30, 40, 49, 51, 90, 95, 140, 145], "ABBBBBBABB") == [
        (5, "A", 0, 51),
        (8, "A", 95, 45),
        (8, "B", 90, 50),
    ]


def test_a_silence_of_all_is_told_by_the_tick_that_ends_it() -> None:
    """Where no other symbol ticks, the symbol's own next tick tells of the silence."""
    assert watched([0, 40, 81], "AAA") == [(2, "A", 40, 41)]


def test_a_market_that_is_closed_is_not_silent() -> None:
    """Silence counts from the open on, and never outside the hours."""
    hours = SessionHours(open_ns=1_000, length_ns=500)
    assert watched([1_470, 1_490, 1_560, 5_000], "AABB", hours) == [(3, "B", 1_560, 3_440)]
    # Friday's open is the next.
    later = [DAY_NS + 1_000, DAY_NS + 1_030, DAY_NS + 1_050]
    assert watched([1_000, *later], "ABBB", hours) == [(3, "A", DAY_NS + 1_000, 50)]


def test_a_feed_that_catches_up_is_not_told_with_every_tick() -> None:
    """Ticks far behind the clock leave the feed told as silent; ticks near it make it heard again."""
    times = [0, 0, 1_000, 100, 1_100, 200, 1_200, 1_160, 1_250]
    assert [one[:2] for one in watched(times, "ABBABABAB")] == [
        (2, "A"),
        (2, "B"),
        (4, "B"),
        (6, "B"),
        (8, "A"),
        (8, "B"),
    ]
