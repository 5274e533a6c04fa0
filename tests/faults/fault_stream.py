"""The stream that faults are injected into: transactions, labels, markets, and messages that nobody can use."""

import asyncio
import json
import random
import threading
from collections.abc import Iterator
from itertools import chain

from history_messages import (
    label_messages,
    position_messages,
    rate_messages,
    tick_messages,
    transaction_messages,
)
from schemas.currency import CurrencyCode
from schemas.position import Position
from stream.outbox import Outbox
from stream.publisher import publish
from stream.settings import Settings
from training.market.tick_simulator import simulate_ticks
from training.rates.curve_simulator import simulate_rates
from training.simulator import simulate_transactions

Message = tuple[str, bytes]
SYMBOLS = ("EURUSD", "USDJPY", "GBPUSD")
CURRENCIES: tuple[CurrencyCode, ...] = ("USD", "EUR")
START_NS = 1_704_067_200_000_000_000
MALFORMED_FRACTION = 0.002


class FaultStream:
    """About `transactions` transactions of simulated customers, with labels; ticks, rates and positions of markets."""

    def __init__(self, transactions: int, seed: int) -> None:
        draw = random.Random(seed)
        days = 60
        history = simulate_transactions(customers=transactions // (days * 3 // 2), merchants=300, days=days, seed=seed)
        good = list(transaction_messages(history, "EUR"))
        self.transactions = list(chain.from_iterable(_spoil(message, draw) for message in good))
        self.labels = list(label_messages(history))
        self.ticks = list(tick_messages(simulate_ticks(SYMBOLS, transactions // 4, seed)))
        self.rates = list(rate_messages(simulate_rates(CURRENCIES, 60, seed)))
        self.positions = list(position_messages(_positions(draw)))

    def add(self, changes: dict[str, str], chance: random.Random) -> None:
        """Put one more transaction somewhere into the stream: the one before it, with some fields changed."""
        good = [
            at
            for at, (_, value) in enumerate(self.transactions)
            if value.endswith(b"}") and b'"EUR"' in value and value.count(b'"amount"') == 1
        ]
        at = chance.choice(good)
        changed = json.loads(self.transactions[at][1]) | changes
        self.transactions.insert(at + 1, (changed["customer_id"], json.dumps(changed).encode()))

    def send(self, settings: Settings, *, seconds: float | None = None) -> None:
        """Send everything: as a backlog, labels first, or side by side spread over some seconds."""

        async def send_all() -> None:
            outbox = Outbox(settings.broker, client_id="stream")
            await outbox.start()
            try:
                sending = [
                    publish(
                        outbox,
                        settings.topic(name),
                        settings.partitions,
                        messages,
                        rate_per_second=len(messages) / seconds if seconds else None,
                    )
                    for name, messages in (
                        ("labels", self.labels),
                        ("positions", self.positions),
                        ("rates", self.rates),
                        ("ticks", self.ticks),
                        ("transactions", self.transactions),
                    )
                ]
                await asyncio.gather(*sending)
            finally:
                await outbox.stop()

        asyncio.run(send_all())

    def sending(self, settings: Settings, seconds: float) -> threading.Thread:
        """Return a started thread that sends everything over some seconds."""
        thread = threading.Thread(target=self.send, args=(settings,), kwargs={"seconds": seconds}, daemon=True)
        thread.start()
        return thread


def _positions(draw: random.Random) -> Iterator[Position]:
    """Yield what some portfolios hold: symbols, long and short, and bonds, changed now and then."""
    for number in range(60):
        time_ns = START_NS + number * 600_000_000_000
        portfolio = f"p{number % 7}"
        if number % 3:
            yield Position(1, portfolio, time_ns, draw.uniform(-100.0, 100.0), symbol=draw.choice(SYMBOLS))
        else:
            yield Position(
                1,
                portfolio,
                time_ns,
                draw.choice((0.0, 1e6, 5e6)),
                currency=draw.choice(CURRENCIES),
                maturity_ns=START_NS + draw.choice((2, 10, 30)) * 365 * 86_400_000_000_000,
                coupon_percent=4.0,
                frequency=2,
            )


def _spoil(message: Message, draw: random.Random) -> Iterator[Message]:
    yield message
    if draw.random() < MALFORMED_FRACTION:
        key, value = message
        # Each is refused: torn, no object, foreign, ambiguous, of the 2080s, of years before what it follows.
        yield (
            key,
            draw.choice(
                (
                    value[:-5],
                    b"[]",
                    value.replace(b'"EUR"', b'"USD"'),
                    value[:-1] + b',"amount":1}',
                    value.replace(b'"event_time_ns":1', b'"event_time_ns":3'),
                    value.replace(b'"event_time_ns":17', b'"event_time_ns":15'),
                )
            ),
        )
