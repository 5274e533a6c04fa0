"""What `riskstream simulate` sends: laps of transactions and labels, and markets that go on from where they are.

A customer pays one to two times a day, so a stream that never pauses is weeks of payments, played faster than they
were made: each lap has customers and merchants of its own, and ends shortly before it is sent. Quotes come as often as
the market's own, hence at their own times.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from history_messages import Message, label_messages, tick_messages, transaction_messages
from risk.byte_slices import TextColumn
from training.history import DAY_NS, History
from training.market.tick_history import TickHistory
from training.market.tick_simulator import MINUTE_NS, simulate_ticks
from training.simulator import HOUR_NS, simulate_transactions

PAST_DAYS = 30
LIVE_DAYS = 14
TICKS_PER_MINUTE = 20
CLEARED_EVERY = 5
"""One of as many genuine transactions is looked into, and cleared."""


@dataclass(frozen=True, slots=True)
class Hour:
    """What happens in an hour of simulated time: payments, and what becomes known of earlier ones."""

    transactions: list[Message]
    labels: list[Message]


@dataclass(frozen=True, slots=True)
class Lap:
    """The messages of a lap: a past, sent at once, so that customers have a profile, and the hours after it."""

    past_transactions: list[Message]
    past_labels: list[Message]
    hours: list[Hour]


def simulate_lap(customers: int, seed: int, name: str, end_ns: int) -> Lap:
    """Return a lap of 44 days that ends at a time, of which 14 are in hours; the same for the same arguments.

    The name, which no other lap has, begins every identifier. What becomes known later has no label. Raises ValueError
    for fewer than one customer.
    """
    start_ns = end_ns - (PAST_DAYS + LIVE_DAYS) * DAY_NS
    history = _named(
        simulate_transactions(customers, max(10, customers // 4), PAST_DAYS + LIVE_DAYS, seed, start_ns=start_ns),
        name,
    )
    starts_ns = np.arange(start_ns + PAST_DAYS * DAY_NS, end_ns + 1, HOUR_NS)
    cleared = np.arange(len(history)) % CLEARED_EVERY == 0
    transactions, labels = list(transaction_messages(history, "EUR")), list(label_messages(history, cleared))
    cuts = np.searchsorted(history.event_time_ns, starts_ns).tolist()
    label_cuts = np.searchsorted(np.sort(history.label_time_ns[history.fraud | cleared]), starts_ns).tolist()
    hours = [
        Hour(transactions[begin:end], labels[label_begin:label_end])
        for (begin, end), (label_begin, label_end) in zip(pairwise(cuts), pairwise(label_cuts), strict=True)
    ]
    return Lap(transactions[: cuts[0]], labels[: label_cuts[0]], hours)


def simulate_market(symbols: tuple[str, ...], minutes: int, seed: int, start_ns: int) -> Iterator[list[Message]]:
    """Yield the ticks of `minutes` minutes after one another, for ever, from `start_ns` on.

    Prices go on from where they were; each symbol has 20 quotes a minute.
    """
    prices = dict.fromkeys(symbols, 100.0)
    draws = np.random.default_rng(seed)
    while True:
        messages: list[tuple[int, Message]] = []
        for symbol in symbols:
            ticks = simulate_ticks(
                [symbol],
                minutes * TICKS_PER_MINUTE,
                int(draws.integers(2**32)),
                start_ns=start_ns,
                ticks_per_bar=TICKS_PER_MINUTE,
                first_price=prices[symbol],
            )
            prices[symbol] = _last_mid(ticks)
            messages += zip(ticks.event_time_ns.tolist(), tick_messages(ticks), strict=True)
        messages.sort(key=lambda one: one[0])
        yield [message for _, message in messages]
        start_ns += minutes * MINUTE_NS


def _named(history: History, name: str) -> History:
    return replace(
        history,
        transaction_id=TextColumn.of([f"{name}-{one}" for one in history.transaction_id]),
        customer_id=TextColumn.of([f"{name}-{one}" for one in history.customer_id]),
        merchant_id=TextColumn.of([f"{name}-{one}" for one in history.merchant_id]),
    )


def _last_mid(ticks: TickHistory) -> float:
    return float(ticks.bid[-1] + ticks.ask[-1]) / 2.0
