import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.back_tests.traffic_light import traffic_light
from training.market.report import SetAside
from training.market.report_windows import most_of_zone, traffic_light_windows, zone

DAY_NS = 86_400_000_000_000


@st.composite
def exceedance_columns(draw: st.DrawFn) -> tuple[list[bool], tuple[int, int]]:
    """Draw up to 320 bars, of which few exceed, and a period within or beyond them."""
    bars = draw(st.one_of(st.integers(250, 320), st.integers(0, 249)))
    at = draw(st.sets(st.integers(0, max(bars - 1, 0)), max_size=25))
    first, length = draw(st.integers(-10, bars + 10)), draw(st.integers(0, 100))
    return [bar in at for bar in range(bars)], (first, first + length)


@given(exceedance_columns())
def test_every_window_is_counted_as_a_plain_loop_counts_it(drawn: tuple[list[bool], tuple[int, int]]) -> None:
    """Each window of 250 bars has its exceedances, its zone, and whether a bar of the period set aside is in it."""
    exceeded, (first, end) = drawn
    times = np.arange(len(exceeded)) * DAY_NS
    found = traffic_light_windows(
        times, np.array(exceeded, dtype=np.bool_), 0.99, SetAside("it", first * DAY_NS, end * DAY_NS)
    )
    counts, touched = [], []
    for start in range(len(exceeded) - 249):
        counts.append(sum(exceeded[start : start + 250]))
        touched.append(any(first <= bar < end for bar in range(start, start + 250)))
    assert found.exceedances.tolist() == counts
    assert found.set_aside.tolist() == touched
    assert found.green.tolist() == [count <= 4 for count in counts]
    outside = [count <= 4 for count, inside in zip(counts, touched, strict=True) if not inside]
    assert found.green_share == (pytest.approx(sum(outside) / len(outside)) if outside else None)
    assert found.green_share_of_all == (pytest.approx(np.mean(found.green)) if counts else None)


@given(exceedance_columns())
def test_the_runs_that_are_not_green_hold_each_such_window_once(drawn: tuple[list[bool], tuple[int, int]]) -> None:
    """Every window that is not green lies in one run, of its own kind, and no green one in any."""
    exceeded, (first, end) = drawn
    times = np.arange(len(exceeded)) * DAY_NS
    found = traffic_light_windows(
        times, np.array(exceeded, dtype=np.bool_), 0.99, SetAside("it", first * DAY_NS, end * DAY_NS)
    )
    listed = []
    for run in found.not_green:
        inside = range(run.first_end_ns // DAY_NS - 249, run.last_end_ns // DAY_NS - 249 + 1)
        assert run.windows == len(inside)
        assert run.first_bar_ns // DAY_NS == inside[0]
        assert run.exceedances == max(found.exceedances[list(inside)])
        assert {bool(one) for one in found.set_aside[list(inside)]} == {run.set_aside}
        listed += list(inside)
    assert listed == np.flatnonzero(~found.green).tolist()


@pytest.mark.parametrize("count", [0, 4, 5, 9, 10, 250])
def test_zones_are_those_of_the_traffic_light(count: int) -> None:
    """The zone of a count is that of the traffic light of a column with as many exceedances."""
    assert zone(count) == traffic_light(np.arange(250) < count).zone


def test_the_limits_are_those_of_the_framework() -> None:
    """At 99 %, 4 exceedances are green and 9 yellow (Basel Committee, 1996, table 2)."""
    assert (most_of_zone("green"), most_of_zone("yellow")) == (4, 9)
