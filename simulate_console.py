"""The verb `simulate` of the command line: simulated transactions, labels and markets, without end."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from history_messages import Message, position_messages, rate_messages
from stream import console as serving

if TYPE_CHECKING:
    from stream.outbox import Outbox
    from stream.settings import Settings

SYMBOLS = ("EURUSD", "USDJPY", "GBPUSD", "AUDUSD")
CURVE_WEEKS = 12
PAST_MINUTES = 300
"""Bars of a minute before the first live one: a back-test wants 250."""

CHUNK_MINUTES = 10
"""How far quotes are made ahead of their time."""

_DAY_NS = 86_400_000_000_000
_WEEK_NS = 7 * _DAY_NS
# The Unix epoch was a Thursday.
_FIRST_MONDAY_NS = 4 * _DAY_NS


def simulate(
    rate: Annotated[float, typer.Option(min=0.1, max=10_000.0, help="Transactions a second.")] = 20.0,
    customers: Annotated[int, typer.Option(min=10, max=20_000, help="Customers of a lap.")] = 2_000,
) -> None:
    """Send simulated transactions, labels and markets until Ctrl-C or SIGTERM, to see riskstream at work.

    Sends a past first, which gives customers their profiles, then goes on at --rate. Customers pay once or twice a
    day, so what is sent live are the payments of two weeks, played faster; after them come other customers. Quotes of
    four symbols come as they would, each minute's in that minute; yields and portfolios once.

    Example: riskstream simulate --rate 50
    """
    from aiokafka.errors import KafkaError

    from stream.outbox import OutboxError
    from stream.topics import TopicError

    settings = serving.load_settings()
    try:
        sent = asyncio.run(_simulate(settings, rate, customers))
    except TopicError as wrong:
        raise serving.fail(str(wrong)) from None
    except (KafkaError, OutboxError, OSError) as error:
        raise serving.unreachable(settings, error) from None
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(sent.items()))
    serving.output.print(f"sent to {settings.broker}: {counts}", highlight=False, soft_wrap=True)


@dataclass(frozen=True, slots=True)
class _Sender:
    """Where messages go, and how many of each topic went there."""

    outbox: "Outbox"
    settings: "Settings"
    sent: Counter[str] = field(default_factory=Counter)

    async def send(self, name: str, messages: list[Message], per_second: float | None = None) -> None:
        from stream.publisher import publish

        await publish(
            self.outbox,
            self.settings.topic(name),
            self.settings.partitions,
            messages,
            rate_per_second=per_second,
            on_sent=lambda count: self.sent.update({name: count}),
        )


async def _simulate(settings: "Settings", rate: float, customers: int) -> Counter[str]:
    from stream.outbox import Outbox
    from stream.stop_signal import stop_on_signal
    from stream.topics import create_topics, topics

    stop = stop_on_signal()
    await create_topics(
        settings.broker, topics(settings.topic_prefix, settings.partitions, settings.replication_factor)
    )
    outbox = Outbox(settings.broker, client_id="riskstream-simulate")
    await outbox.start()
    sender = _Sender(outbox, settings)
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(stop.wait()),
        asyncio.create_task(_send_transactions(sender, rate, customers)),
        asyncio.create_task(_send_markets(sender)),
    ]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
        await _cancel(tasks)
        await outbox.delivered(outbox.fence())
    finally:
        await _cancel(tasks)
        await outbox.stop()
    return sender.sent


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _send_transactions(sender: _Sender, rate: float, customers: int) -> None:
    from simulated_lap import simulate_lap

    while True:
        # The second is seed and name, so that no two laps have the same, not even of processes one after another.
        seconds = int(time.time())
        name = f"{datetime.fromtimestamp(seconds, tz=UTC):%y%m%d-%H%M%S}"
        lap = await asyncio.to_thread(simulate_lap, customers, seconds, name, seconds * 1_000_000_000)
        await sender.send("labels", lap.past_labels)
        await sender.send("transactions", lap.past_transactions)
        for hour in lap.hours:
            await sender.send("transactions", hour.transactions, rate)
            await sender.send("labels", hour.labels)


async def _send_markets(sender: _Sender) -> None:
    from simulated_lap import simulate_market
    from simulated_positions import simulated_positions
    from training.market.tick_simulator import MINUTE_NS
    from training.rates.curve_simulator import simulate_rates

    now_ns = time.time_ns()
    monday_ns = (now_ns - _FIRST_MONDAY_NS) // _WEEK_NS * _WEEK_NS + _FIRST_MONDAY_NS
    rates = simulate_rates(["USD"], 5 * CURVE_WEEKS, now_ns, start_ns=monday_ns - CURVE_WEEKS * _WEEK_NS)
    await sender.send("rates", list(rate_messages(rates)))
    await sender.send("positions", list(position_messages(simulated_positions(now_ns))))
    end_ns = now_ns // MINUTE_NS * MINUTE_NS
    chunks = simulate_market(SYMBOLS, CHUNK_MINUTES, now_ns, end_ns - PAST_MINUTES * MINUTE_NS)
    for ticks in islice(chunks, PAST_MINUTES // CHUNK_MINUTES):
        await sender.send("ticks", ticks)
    for ticks in chunks:
        end_ns += CHUNK_MINUTES * MINUTE_NS
        # By the clock, so that what a chunk is late the next one makes up for.
        seconds = max(1.0, (end_ns - time.time_ns()) / 1e9)
        await sender.send("ticks", ticks, len(ticks) / seconds)
