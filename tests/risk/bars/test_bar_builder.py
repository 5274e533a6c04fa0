import math
from typing import Any

import numpy as np
import pytest
from bar_steps import STEPS, ticks
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from steps import Events

from risk.bars.bar_builder import BarBuilder
from risk.bars.bar_spec import (
    DAY_NS,
    BarSpecification,
    BarSpecifications,
    OutlierRule,
    PriceSource,
    SessionHours,
    TickBars,
    TimeBars,
    VolumeBars,
)
from risk.bars.closed_bars import CLOSED_BAR, ClosedBars
from tests.risk.bars.plain_bars import PlainBar, PlainSymbol, PlainTick

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
THURSDAY_NS = 1_767_225_600 * SECOND_NS
"""Midnight of 2026-01-01."""

hours = st.builds(
    SessionHours,
    st.integers(0, 23).map(lambda hour: hour * HOUR_NS),
    st.integers(1, 24).map(lambda length: length * HOUR_NS),
    st.sets(st.integers(0, 6), min_size=1).map(tuple),
)
specifications = st.builds(
    BarSpecification,
    closes=st.one_of(
        st.sampled_from([SECOND_NS, 30 * SECOND_NS]).map(TimeBars),
        st.integers(1, 6).map(TickBars),
        st.sampled_from([1.0, 150.0, 1e6]).map(VolumeBars),
    ),
    prices=st.sampled_from(["both", "quotes", "trades"]),
    hours=st.none() | hours,
    pause_ns=st.none() | st.sampled_from([30 * SECOND_NS, HOUR_NS]),
    stale_after_ns=st.none() | st.sampled_from([1, 10 * SECOND_NS]),
    sample_ns=st.none() | st.sampled_from([10 * SECOND_NS, 60 * SECOND_NS]),
    outliers=st.none() | st.builds(OutlierRule, st.floats(1.0, 20.0), st.floats(0.01, 1.0), st.floats(0.5, 0.99)),
)


def missing(events: Events) -> Events:
    """Return ticks with NaN for what they have not."""
    names = ("bid", "ask", "price", "size")
    return events | {name: np.where(events[name] == 0.0, np.nan, events[name]) for name in names}


def plain(events: Events, rules: dict[str, BarSpecification]) -> list[tuple[int, str, PlainBar]]:
    """Return (index, symbol, bar) as the plain twin makes them."""
    symbols: dict[str, PlainSymbol] = {}
    found = []
    for at, name in enumerate(events["symbol"]):
        symbol = symbols.setdefault(name, PlainSymbol(rules.get(name, rules["*"])))
        bid, ask, price, size = (float(events[column][at]) for column in ("bid", "ask", "price", "size"))
        number = int(events["sequence"][at])
        tick = PlainTick(
            int(events["event_time_ns"][at]),
            None if bid == 0.0 else (bid, ask),
            None if price == 0.0 else (price, size),
            None if number < 0 else number,
        )
        found += [(at, name, bar) for bar in symbol.take(tick)]
    return found


@given(seed=st.integers(0, 2**32 - 1), own=specifications, pooled=specifications)
def test_bars_are_those_of_a_plain_twin(seed: int, own: BarSpecification, pooled: BarSpecification) -> None:
    """Whatever the rules and the ticks, every bar and every count is that of a slow twin in plain Python."""
    events = ticks(np.random.default_rng(seed), 150)
    rules = {"s1": own, "*": pooled}
    bars = BarBuilder(BarSpecifications(rules)).advance(**missing(events))
    expected = plain(events, rules)
    assert list(zip(bars.index.tolist(), bars.symbol, strict=True)) == [one[:2] for one in expected]
    for name in PlainBar._fields:
        found, wanted = getattr(bars, name), np.array([getattr(bar, name) for _, _, bar in expected])
        if name.endswith(("variance_percent2", "volume", "spread_percent")):
            np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12, err_msg=name)
        else:
            assert found.tolist() == wanted.tolist(), name


def test_the_twin_meets_every_rule() -> None:
    """The ticks that bars are compared on make every rule bite."""
    draw = np.random.default_rng(5)
    for step in STEPS:
        bars = step.fresh().advance(**missing(ticks(draw, 5_000)))
        assert len(bars) > 100
        counted = {name for name in CLOSED_BAR.names or () if np.any(getattr(bars, name) != 0)}
        idle = set(CLOSED_BAR.names or ()) - counted
        assert idle <= {"skipped_stale", "skipped_outliers", "outside_hours", "gap_ns"}, step.name


@given(seed=st.integers(0, 2**32 - 1), own=specifications, pooled=specifications)
def test_bars_are_in_order_and_hold_their_prices(seed: int, own: BarSpecification, pooled: BarSpecification) -> None:
    """A symbol's bars end one after another, none starts before the last ended, and high and low bound the prices."""
    events = ticks(np.random.default_rng(seed), 150)
    bars = BarBuilder(BarSpecifications({"s1": own, "*": pooled})).advance(**missing(events))
    assert np.all((bars.low <= np.minimum(bars.open, bars.close)) & (bars.high >= np.maximum(bars.open, bars.close)))
    assert np.all(bars.garman_klass_variance_percent2 >= -1e-9 * bars.parkinson_variance_percent2)
    assert np.all((bars.ticks > 0) & (bars.start_ns <= bars.end_ns))
    assert np.all(bars.first_of_session | (bars.overnight_return_percent == 0.0))
    for symbol in set(bars.symbol):
        mine = np.array([one == symbol for one in bars.symbol])
        assert np.all(np.diff(bars.end_ns[mine]) > 0)
        if isinstance({"s1": own}.get(symbol, pooled).closes, TimeBars):
            assert np.all(bars.start_ns[mine][1:] >= bars.end_ns[mine][:-1])


def of_one(
    specification: BarSpecification,
    time_ns: list[int],
    quotes: list[float] | None = None,
    trades: list[float] | None = None,
    sizes: list[float] | None = None,
    sequence: list[int] | None = None,
) -> ClosedBars:
    """Return the bars of one symbol, from quotes without a spread, or trades of size 1 or as given."""
    nothing = [math.nan] * len(time_ns)
    return BarBuilder(BarSpecifications({"*": specification})).advance(
        ["X"] * len(time_ns),
        np.array(time_ns) + THURSDAY_NS,
        np.array(quotes or nothing),
        np.array(quotes or nothing),
        np.array(trades or nothing),
        np.array(sizes or ([1.0] * len(time_ns) if trades else nothing)),
        np.array(sequence or [-1] * len(time_ns)),
    )


BARS_OF_10 = TimeBars(length_ns=10)
JUMPS = OutlierRule(deviations=10.0, floor_percent=1.0)


def test_a_bad_print_is_passed_over_and_a_jump_is_not() -> None:
    """A price far away that the next takes back does not count; one that the next confirms counts, at its own time."""
    one_tick = BarSpecification(closes=TickBars(1), outliers=JUMPS)
    bad = of_one(one_tick, [0, 1, 2, 3], trades=[100.0, 150.0, 100.5, 100.5])
    assert (bad.close.tolist(), bad.skipped_outliers.tolist()) == ([100.5, 100.5], [1, 0])
    real = of_one(one_tick, [0, 1, 2, 3], trades=[100.0, 150.0, 149.0, 149.5])
    assert (real.close.tolist(), real.skipped_outliers.tolist()) == ([150.0, 149.0, 149.5], [0, 0, 0])
    assert ((real.end_ns - THURSDAY_NS).tolist(), real.index.tolist()) == ([1, 2, 3], [2, 2, 3])


def test_a_market_that_turned_wild_is_followed() -> None:
    """Prices that leap to and fro beyond any limit are taken up again once the limit has followed them."""
    bars = of_one(
        BarSpecification(closes=TickBars(1), outliers=JUMPS),
        list(range(2_000)),
        trades=[100.0, 50.0, 200.0, 25.0] * 500,
    )
    assert bars.close.tolist()[-4:] == [100.0, 50.0, 200.0, 25.0]


def test_a_late_tick_does_not_touch_a_closed_bar_nor_the_close() -> None:
    """A tick that is late within the open bar moves its high alone; one older than the bar is counted, no more."""
    bars = of_one(
        BarSpecification(closes=BARS_OF_10), [0, 10, 18, 12, 9, 21, 31], quotes=[1.0, 2.0, 3.0, 9.0, 50.0, 3.0, 3.0]
    )
    assert (bars.close.tolist(), bars.high.tolist(), bars.late.tolist()) == ([3.0, 3.0], [9.0, 3.0], [1, 0])
    assert bars.realised_variance_percent2[0] == pytest.approx((100 * math.log(2)) ** 2 + (100 * math.log(1.5)) ** 2)


def test_repeats_and_missing_numbers_are_counted() -> None:
    """A number that comes again is passed over, one that never comes is missing, one that comes late is not."""
    bars = of_one(
        BarSpecification(closes=TickBars(5)),
        [0, 1, 2, 3, 4, 5, 5, 6, 7, 7, 8, 9],
        trades=[1.0] * 12,
        sequence=[0, 1, 2, 3, 4, 7, 7, 8, 9, 6, 10, 11],
    )
    assert (bars.repeated.tolist(), bars.missing_sequences.tolist()) == ([1], [1])


def test_a_producer_that_counts_anew_loses_nothing() -> None:
    """Numbers that start again with later ticks are neither repeats nor missing."""
    bars = of_one(
        BarSpecification(closes=TickBars(1)), list(range(200)), trades=[1.0] * 200, sequence=[*range(100), *range(100)]
    )
    assert (len(bars), bars.repeated.sum(), bars.missing_sequences.sum()) == (199, 0, 0)


def test_a_quote_that_is_said_again_for_too_long_is_stale() -> None:
    """A frozen quote closes no bars: the return after it spans the time for which it was frozen."""
    frozen = of_one(
        BarSpecification(closes=BARS_OF_10, stale_after_ns=20),
        [0, 10, 20, 30, 40, 50, 60, 70],
        quotes=[1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0, 3.0],
    )
    assert (frozen.end_ns - THURSDAY_NS).tolist() == [20, 30, 40, 70]
    assert (frozen.skipped_stale.tolist(), frozen.silence_ns.tolist()) == ([0, 0, 2, 0], [10, 10, 10, 30])


def test_no_bar_spans_the_night() -> None:
    """Ticks outside the hours do not count; a bar ends with its session; what came overnight is told apart."""
    open_ns, day = 8 * HOUR_NS, DAY_NS
    specification = BarSpecification(
        closes=TimeBars(HOUR_NS), hours=SessionHours(open_ns=open_ns, length_ns=5 * HOUR_NS // 2)
    )
    times = [open_ns, open_ns + HOUR_NS, open_ns + 9 * HOUR_NS // 4, open_ns + 3 * HOUR_NS]
    # Thursday, Friday, Saturday, Monday.
    days = [(first * day + one, 1.0 + first) for first in (0, 1, 2, 4) for one in times]
    bars = of_one(specification, [one for one, _ in days], trades=[price for _, price in days])
    ends = ((bars.end_ns - THURSDAY_NS) % day).tolist()
    hour, two_hours, close = HOUR_NS, 2 * HOUR_NS, 5 * HOUR_NS // 2
    assert ends == [open_ns + one for one in (two_hours, close, hour, two_hours, close, hour, two_hours)]
    assert bars.first_of_session.tolist() == [False, False, True, False, False, True, False]
    assert bars.outside_hours.tolist() == [0, 1, 0, 0, 5, 0, 0]
    overnight = [0, 0, 100 * math.log(2), 0, 0, 100 * math.log(2.5), 0]
    np.testing.assert_allclose(bars.overnight_return_percent, overnight)
    np.testing.assert_allclose(bars.log_return_percent, overnight)
    assert bars.realised_variance_percent2.tolist() == [0.0] * 7


def test_a_pause_ends_a_session() -> None:
    """After a time without ticks the next bar is the first of a session, and the bar before it is cut short."""
    bars = of_one(
        BarSpecification(closes=TickBars(2), pause_ns=5), [0, 1, 2, 8, 9, 10], trades=[1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    )
    assert (bars.ticks.tolist(), bars.first_of_session.tolist()) == ([1, 2], [False, True])
    assert (bars.index.tolist(), bars.gap_ns.tolist()) == ([3, 4], [1, 6])


@pytest.mark.parametrize(
    ("prices", "close", "volume"), [("trades", [9.0, 9.0], 7.0), ("quotes", [2.0, 4.0], 7.0), ("both", [9.0, 4.0], 7.0)]
)
def test_prices_come_from_where_the_specification_says(prices: PriceSource, close: list[float], volume: float) -> None:
    """Quotes make spreads and trades make volume wherever prices come from."""
    nan = math.nan
    bars = BarBuilder(BarSpecifications({"*": BarSpecification(closes=BARS_OF_10, prices=prices)})).advance(
        ["X"] * 6,
        np.array([0, 1, 10, 11, 20, 30]) + THURSDAY_NS,
        np.array([1.0, nan, 1.5, nan, 3.0, 3.0]),
        np.array([1.0, nan, 2.5, nan, 5.0, 5.0]),
        np.array([nan, 9.0, nan, 9.0, nan, nan]),
        np.array([nan, 3.0, nan, 7.0, nan, nan]),
        np.full(6, -1),
    )
    assert (bars.close.tolist(), bars.volume.tolist()) == (close, [volume, 0.0])
    np.testing.assert_allclose(bars.spread_percent, [50.0, 50.0])


def test_many_bars_of_one_batch_all_come() -> None:
    """A batch that closes more bars than a table holds gives them all."""
    bars = of_one(BarSpecification(closes=TickBars(1)), list(range(5_000)), trades=[1.0] * 5_000)
    assert bars.index.tolist() == list(range(1, 5_000))


def floats(*values: float) -> NDArray[np.float64]:
    """Return an array."""
    return np.array(values)


def test_crossed_quotes_do_not_count() -> None:
    """A crossed quote makes no price, as its message would not: it is counted."""
    nothing: Any = np.full(3, np.nan)
    bars = BarBuilder(BarSpecifications({"*": BarSpecification(closes=TickBars(1))})).advance(
        ["X"] * 3,
        np.array([1, 2, 3]),
        floats(1.0, 9.0, 1.0),
        floats(1.0, 1.0, 1.0),
        nothing,
        nothing,
        np.array([0, 1, 2]),
    )
    assert (bars.index.tolist(), bars.skipped_crossed.tolist(), bars.missing_sequences.tolist()) == ([2], [1], [1])
