"""The steps that find out what of a market alerts, with bars and ticks for them."""

import numpy as np
from steps import SECOND_NS, START_NS, Events, Step, length

from risk.bars.bar_spec import BarSpecification, BarSpecifications, SessionHours, TimeBars
from risk.bars.feed_watch import FeedWatch
from risk.market.alert_rules import AlertRules
from risk.market.market_alerts import MarketAlerts

_MINUTE_NS = 60 * SECOND_NS
RULES = AlertRules(cool_down_ns=5 * _MINUTE_NS, regime_half_life_bars=20.0, missing_sequences=3)
WATCHED = BarSpecifications(
    {
        "s1": BarSpecification(
            closes=TimeBars(_MINUTE_NS), hours=SessionHours(open_ns=0, length_ns=12 * 60 * _MINUTE_NS)
        ),
        "*": BarSpecification(closes=TimeBars(_MINUTE_NS)),
    }
)
STALE_AFTER_NS = 5 * _MINUTE_NS


def bars(draw: np.random.Generator, n: int) -> Events:
    """Return closed bars of a few symbols, with losses, shocks and regimes, and values at risk next to nothing."""
    wild = draw.choice([1.0, 5.0, 1e4], n, p=[0.85, 0.13, 0.02])
    return {
        "symbol": [f"s{one}" for one in draw.integers(0, 4, n)],
        "end_ns": START_NS + np.cumsum(draw.integers(1, 3, n)) * _MINUTE_NS,
        "loss_percent": draw.standard_normal(n) * wild,
        "value_at_risk_99_percent": draw.choice([2.0, 1e-12, 0.0, -1.0, 1e4], n, p=[0.9, 0.02, 0.02, 0.02, 0.04]),
        "standardised_residual": draw.standard_normal(n) * 1.5 * wild,
        "variance_percent2": np.exp(2.0 * np.sin(np.arange(n) / 20.0)) * draw.choice([1.0, 1e-300, 1e12, 0.0], n),
        "model_rejected": draw.random(n) < 0.1,
        "missing_sequences": draw.choice([0, 1, 3, 10**15], n, p=[0.8, 0.1, 0.08, 0.02]),
    }


def ticks(draw: np.random.Generator, n: int) -> Events:
    """Return ticks of a few symbols, some late, with pauses that all or some of them make."""
    step_ns = draw.choice(
        [0, SECOND_NS, 30 * SECOND_NS, 20 * _MINUTE_NS, 600 * _MINUTE_NS], n, p=[0.1, 0.4, 0.42, 0.07, 0.01]
    )
    time_ns = START_NS + np.cumsum(step_ns)
    time_ns -= np.where(draw.random(n) < 0.1, draw.integers(0, 10 * _MINUTE_NS, n), 0)
    few = np.where(np.arange(n) // 40 % 2 == 0, 2, 5)
    return {"symbol": [f"s{one}" for one in draw.integers(0, few)], "event_time_ns": time_ns}


def _advance_alerts(step: MarketAlerts, events: Events) -> list[bytes]:
    reasons = step.advance(**events)
    given = [b""] * length(events)
    for at, index in enumerate(reasons.index.tolist()):
        numbers = (reasons.value[at], reasons.usual_value[at], reasons.score[at], float(len(reasons.code[at])))
        given[index] += np.array(numbers).tobytes()
    return given


def _advance_watch(step: FeedWatch, events: Events) -> list[bytes]:
    stale = step.advance(**events)
    given = [b""] * length(events)
    for at, index in enumerate(stale.index.tolist()):
        given[index] += np.array([int(stale.symbol[at][1:]), stale.since_ns[at], stale.silence_ns[at]], float).tobytes()
    return given


STEPS = (
    Step("market alerts", lambda: MarketAlerts(RULES), _advance_alerts, bars, "symbol"),
    # Silence is measured against the other symbols, so it is no matter of one key.
    Step("feed watch", lambda: FeedWatch(STALE_AFTER_NS, WATCHED), _advance_watch, ticks, None),
)
