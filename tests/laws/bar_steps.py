"""The step that makes bars, of time, ticks and volume, with ticks for it."""

import numpy as np
from steps import DAY_NS, SECOND_NS, START_NS, Events, Step, length

from risk.bars.bar_builder import BarBuilder
from risk.bars.bar_spec import (
    BarSpecification,
    BarSpecifications,
    OutlierRule,
    SessionHours,
    TickBars,
    TimeBars,
    VolumeBars,
)

_HOUR_NS = 3_600 * SECOND_NS
_MINUTE_NS = 60 * SECOND_NS


def ticks(draw: np.random.Generator, n: int) -> Events:
    """Return quotes and trades of a few symbols: some late, repeated, stale, crossed, far away or without a number.

    What a tick has not is 0 here, which equals itself.
    """
    symbols = [f"s{one}" for one in draw.integers(0, 3, n)]
    step_ns = draw.choice([0, 1, SECOND_NS, 20 * SECOND_NS, _HOUR_NS, DAY_NS], n, p=[0.1, 0.1, 0.4, 0.3, 0.08, 0.02])
    time_ns = START_NS + np.cumsum((step_ns * draw.random(n)).astype(np.int64))
    time_ns -= np.where(draw.random(n) < 0.1, (90 * SECOND_NS * draw.random(n)).astype(np.int64), 0)
    if draw.random() < 0.5:
        # So that times fall on the bounds of bars, pauses and sessions.
        time_ns = time_ns // (10 * SECOND_NS) * (10 * SECOND_NS)
    middle = np.exp(np.cumsum(draw.choice([0.0, 1e-4, 0.3], n, p=[0.3, 0.65, 0.05]) * draw.standard_normal(n)))
    middle *= draw.choice([1.0, 0.5, 1e9, 1e-9], n, p=[0.9, 0.08, 0.01, 0.01])
    half_spread = draw.choice([0.0, 1e-4, 0.5, -0.01], n, p=[0.3, 0.6, 0.05, 0.05])
    kind = draw.integers(0, 3, n)
    sequence = np.arange(n) + draw.choice([0, 0, 0, 1, -1, -3, 2**62, -40], n)
    return {
        "symbol": symbols,
        "event_time_ns": np.minimum(time_ns, START_NS + 20_000 * DAY_NS),
        "bid": np.where(kind == 0, 0.0, middle * (1.0 - half_spread)),
        "ask": np.where(kind == 0, 0.0, middle * (1.0 + half_spread)),
        "price": np.where(kind == 1, 0.0, middle),
        "size": np.where(kind == 1, 0.0, draw.choice([1e-9, 1.0, 100.0, 1e12], n, p=[0.1, 0.4, 0.4, 0.1])),
        "sequence": np.where(draw.random(n) < 0.3, -1, np.maximum(sequence, -1)),
    }


def _advance(step: BarBuilder, events: Events) -> list[bytes]:
    """Return the bars that each tick closed."""
    missing = {name: np.where(events[name] == 0.0, np.nan, events[name]) for name in ("bid", "ask", "price", "size")}
    bars = step.advance(**(events | missing))
    given = [b""] * length(events)
    columns = [getattr(bars, name) for name in bars.__slots__ if name not in ("index", "symbol")]
    for at, index in enumerate(bars.index.tolist()):
        given[index] += np.array([column[at] for column in columns], dtype=np.float64).tobytes()
    return given


def _fresh(own: BarSpecification, pooled: BarSpecification) -> BarBuilder:
    return BarBuilder(BarSpecifications({"s1": own, "*": pooled}))


_OUTLIERS = OutlierRule(deviations=5.0, floor_percent=0.01, decay=0.9)
_HOURS = SessionHours(open_ns=20 * _HOUR_NS, length_ns=22 * _HOUR_NS)
_TIME = BarSpecification(closes=TimeBars(_MINUTE_NS), pause_ns=_HOUR_NS, stale_after_ns=10 * SECOND_NS)
_TIME_IN_HOURS = BarSpecification(closes=TimeBars(_HOUR_NS), hours=_HOURS, outliers=_OUTLIERS, prices="quotes")
_TICK = BarSpecification(closes=TickBars(3), hours=_HOURS, outliers=_OUTLIERS, sample_ns=_MINUTE_NS)
_ONE_TICK = BarSpecification(closes=TickBars(1), pause_ns=SECOND_NS, outliers=_OUTLIERS)
_VOLUME = BarSpecification(closes=VolumeBars(150.0), outliers=_OUTLIERS, prices="trades")
_VOLUME_OF_QUOTES = BarSpecification(closes=VolumeBars(1.0), pause_ns=_MINUTE_NS, prices="quotes")

STEPS = (
    Step("time bars", lambda: _fresh(_TIME, _TIME_IN_HOURS), _advance, ticks, "symbol"),
    Step("tick bars", lambda: _fresh(_TICK, _ONE_TICK), _advance, ticks, "symbol"),
    Step("volume bars", lambda: _fresh(_VOLUME, _VOLUME_OF_QUOTES), _advance, ticks, "symbol"),
)
