"""The verb `market refit` of the command line: a process beside the workers that estimates volatility models anew."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from aiokafka.errors import KafkaError

from stream.console import errors, fail, load_settings, output, unreachable

if TYPE_CHECKING:
    from risk.market.market_bundle import MarketBundle
    from schemas.refit import Refit
    from schemas.volatility import Volatility
    from stream.settings import Settings
    from training.market.refit import RefitRules


def refit(
    every: Annotated[int, typer.Option(min=500, help="Bars of a symbol after which its model is due.")] = 10_000,
    window: Annotated[int, typer.Option(min=500, help="Last bars that a model is estimated from.")] = 2_000,
    least: Annotated[int, typer.Option(min=500, help="Bars between two refits of a symbol, rejected or not.")] = 500,
    once: Annotated[bool, typer.Option("--once", help="Stop once what the topic holds now is read.")] = False,
) -> None:
    """Estimate volatility models anew, on a schedule or when their residuals reject them, beside the workers.

    Reads the topic `volatility` from its beginning, follows it, and sends the new parameters to the topic `ticks`. They
    take over where they lie among the ticks, so a replay does the same at the same place. A model keeps its form; where
    it does not converge, the former one stays.

    Example: RISKSTREAM_MARKET_BUNDLE=bundles/fx riskstream market refit --every 1440
    """
    from risk.bundle import BundleError
    from stream.bundles import read_named_market_bundle
    from training.market.refit import RefitRules

    settings = load_settings()
    if not settings.market_bundle:
        raise fail("RISKSTREAM_MARKET_BUNDLE: is not set; name the bundle of markets that the workers serve")
    try:
        bundle = read_named_market_bundle(settings)
    except BundleError as wrong:
        raise fail(str(wrong)) from None
    rules = RefitRules(every_bars=every, window_bars=window, least_bars=least)
    if not once:
        errors.print(
            f"following {settings.topic('volatility')} at {settings.broker} for {bundle.manifest.name}"
            f" {bundle.version}; Ctrl-C ends it",
            highlight=False,
            soft_wrap=True,
        )
    try:
        with contextlib.suppress(KeyboardInterrupt):
            sent = asyncio.run(_refit(settings, bundle, rules, once=once))
            output.print(f"{sent:,} refits sent to {settings.topic('ticks')} at {settings.broker}")
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    except msgspec.DecodeError as error:
        topic = settings.topic("volatility")
        raise fail(f"{topic}: holds messages of another release ({error}); let a topic begin with this one") from None


async def _refit(settings: "Settings", bundle: "MarketBundle", rules: "RefitRules", *, once: bool) -> int:
    from risk.market.pooled import POOLED
    from risk.partitioner import partitions_of
    from schemas.encoding import encode
    from stream.outbox import Outbox, Record
    from training.market.refit import RefitSchedule

    schedule, models, sent = RefitSchedule(rules), bundle.parameters.volatility.symbols, 0
    outbox = Outbox(settings.broker, client_id="riskstream-refit")
    await outbox.start()

    async def send(refit: "Refit") -> None:
        (partition,) = partitions_of([refit.symbol], settings.partitions).tolist()
        outbox.append(settings.topic("ticks"), partition, Record(refit.symbol.encode(), encode(refit)))
        await outbox.delivered(outbox.fence())

    try:
        async for bars in _bars(settings, bundle.version, follow=not once):
            for bar in bars:
                schedule.take(bar)
            for symbol, cause in schedule.due(dict.fromkeys(bar.symbol for bar in bars)):
                former = models.get(symbol, models[POOLED])
                try:
                    made = await asyncio.to_thread(schedule.refit, symbol, cause, former, bundle.version)
                except (ValueError, ArithmeticError) as wrong:
                    # Whatever a symbol's returns do to an optimiser, the others are looked after.
                    errors.print(f"[yellow]not refitted:[/] {symbol}: {wrong}", highlight=False, soft_wrap=True)
                    continue
                await send(made)
                sent += 1
                output.print(f"{symbol} refitted, {cause}, on bars until {made.event_time_ns}", highlight=False)
    finally:
        await outbox.stop()
    return sent


async def _bars(settings: "Settings", version: str, *, follow: bool) -> AsyncIterator[list["Volatility"]]:
    """Yield the bars on the topic: first all that are there, then those that come, a few at a time."""
    from schemas.volatility import Volatility
    from stream.message_reader import read_messages

    there: list[Volatility] = []
    topic = settings.topic("volatility")
    async for bar in read_messages(Volatility, settings.broker, topic, settings.partitions, follow=False):
        there.append(bar)
    yield [bar for bar in there if bar.bundle_version == version]
    if follow:
        async for bar in read_messages(Volatility, settings.broker, topic, settings.partitions, follow=True):
            if bar.bundle_version == version:
                yield [bar]
