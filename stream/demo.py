"""The demonstration: broker, worker, live page, a stream that is scored while one watches, and how it went."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from schemas.alert import Alert
from stream.alert_text import alert_text
from stream.broker_process import free_port
from stream.embedded_broker import embedded_broker
from stream.message_reader import read_messages
from stream.outbox import Outbox
from stream.publisher import publish
from stream.settings import Settings
from stream.stop_signal import stop_on_signal
from stream.topics import create_topics, topics

SHOWN_ALERTS = 12
WAIT_SECONDS = 90.0
SUMMARY_QUANTILES = (50, 99, 99.9)

_NAMES = {"page": "the page", "run": "the worker"}

Message = tuple[str, bytes]
"""A record's key and value."""


@dataclass(frozen=True, slots=True)
class DemoStream:
    """What the demonstration sends.

    `past_*` goes out as fast as the broker takes it, so that customers and merchants have a history; `live_*` at
    `rate_per_second` transactions a second, ticks and rates at the pace that ends with them, and the positions of
    portfolios first. `live_ids` names the live transactions in their order, `fraud_ids` those of all transactions that
    are fraud.
    """

    past_transactions: Sequence[Message]
    past_labels: Sequence[Message]
    live_transactions: Sequence[Message]
    live_labels: Sequence[Message]
    live_ids: Sequence[str]
    ticks: Sequence[Message]
    rates: Sequence[Message]
    positions: Sequence[Message]
    fraud_ids: frozenset[str]
    rate_per_second: float


class DemoError(RuntimeError):
    """The demonstration did not go as it should; the message says what failed."""


@dataclass(slots=True)
class _Watch:
    """What was sent and what came back."""

    sent_at: dict[str, float] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    shown: int = 0


def run_demo(stream: DemoStream, bundle: Path, market_bundle: Path, console: Console, *, keep: bool) -> None:
    """Run the demonstration to its end, with `keep` to SIGINT or SIGTERM after it; nothing is left running then.

    Raises DemoError when anything failed.
    """
    with (
        tempfile.TemporaryDirectory(prefix="riskstream-demo-") as directory,
        embedded_broker(Path(directory)) as broker,
    ):
        web_port = free_port()
        settings = Settings(
            broker=broker.bootstrap,
            bundle=bundle.resolve(),
            market_bundle=str(market_bundle.resolve()),
            web_port=web_port,
            workers=f"127.0.0.1:{web_port}",
            page_host="127.0.0.1",
            page_port=free_port(),
            page_token=SecretStr(""),
            publish_scores=False,
        )
        console.print(f"[bold]broker[/]   {settings.broker} (embedded)")
        asyncio.run(_run(stream, settings, console, Path(directory), keep=keep))


async def _run(stream: DemoStream, settings: Settings, console: Console, directory: Path, *, keep: bool) -> None:
    await create_topics(settings.broker, topics(settings.topic_prefix, settings.partitions, 1))
    outbox = Outbox(settings.broker, client_id="riskstream-demo")
    await outbox.start()
    link = f"http://{settings.page_host}:{settings.page_port}"
    try:
        async with _verb("page", settings, directory) as page:
            console.print(f"[bold]page[/]     watch live at [bold]{link}[/]")
            console.print(
                f"[bold]history[/]  {len(stream.past_transactions):,} transactions, {len(stream.past_labels):,} labels"
            )
            await _send(outbox, settings, "labels", stream.past_labels)
            await _send(outbox, settings, "transactions", stream.past_transactions)
            async with _verb("run", settings, directory) as worker:
                metrics = f"http://{settings.web_host}:{settings.web_port}/metrics"
                console.print(f"[bold]worker[/]   process {worker.pid}, metrics at {metrics}")
                await _stream_live(stream, settings, console, outbox, worker)
                if keep:
                    console.print(f"all is left running: [bold]{link}[/], {metrics}; Ctrl-C stops it")
                    await _until_told_to_stop(worker, page)
        console.print("all is stopped now")
    finally:
        await outbox.stop()


async def _until_told_to_stop(*children: asyncio.subprocess.Process) -> None:
    """Wait for SIGINT or SIGTERM; return too when one of the processes ends, whose status is looked at later."""
    stop = stop_on_signal()
    waiting = [asyncio.create_task(one) for one in (stop.wait(), *(child.wait() for child in children))]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _stream_live(
    stream: DemoStream,
    settings: Settings,
    console: Console,
    outbox: Outbox,
    worker: asyncio.subprocess.Process,
) -> None:
    watch = _Watch()
    reading = asyncio.create_task(_watch_alerts(stream, settings, console, watch))
    try:
        past = len(stream.past_transactions)
        began = time.perf_counter()
        await _until_scored(settings, past, worker)
        caught_up_seconds = time.perf_counter() - began
        console.print(f"[bold]caught up[/] {past:,} transactions scored; the live stream begins\n")
        began = time.perf_counter()
        with Progress(
            TextColumn("streaming"), BarColumn(), MofNCompleteColumn(), console=console, transient=True
        ) as progress:
            bar = progress.add_task("", total=len(stream.live_transactions))

            def note_sent(count: int) -> None:
                now = time.perf_counter()
                first = len(watch.sent_at)
                watch.sent_at.update((event_id, now) for event_id in stream.live_ids[first : first + count])
                progress.advance(bar, count)

            seconds = max(1.0, len(stream.live_transactions) / stream.rate_per_second)
            await asyncio.gather(
                _send(outbox, settings, "labels", stream.live_labels),
                _send(outbox, settings, "positions", stream.positions),
                _send(outbox, settings, "ticks", stream.ticks, rate=max(1.0, len(stream.ticks) / seconds)),
                _send(outbox, settings, "rates", stream.rates, rate=max(1.0, len(stream.rates) / seconds)),
                publish(
                    outbox,
                    settings.topic("transactions"),
                    settings.partitions,
                    stream.live_transactions,
                    rate_per_second=stream.rate_per_second,
                    on_sent=note_sent,
                ),
            )
            total = past + len(stream.live_transactions)
            answered = await _until_scored(settings, total, worker)
        live_seconds = time.perf_counter() - began
        await asyncio.sleep(0.5)
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    if answered != total:
        raise DemoError(f"{total:,} transactions were sent and {answered:,} answered")
    _print_summary(stream, watch, console, caught_up_seconds, live_seconds)
    if not watch.alerts:
        raise DemoError("no alert came")


async def _send(
    outbox: Outbox, settings: Settings, name: str, messages: Sequence[Message], rate: float | None = None
) -> None:
    await publish(outbox, settings.topic(name), settings.partitions, messages, rate_per_second=rate)


@contextlib.asynccontextmanager
async def _verb(verb: str, settings: Settings, directory: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a verb of the command line while the block lasts, then stop it, which it must take well."""
    log = directory / f"{verb}.log"
    environment = os.environ | {
        f"RISKSTREAM_{name.upper()}": str(value) for name, value in settings.model_dump().items()
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "riskstream", verb, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        if await asyncio.wait_for(process.wait(), WAIT_SECONDS) != 0:
            raise DemoError(f"{_NAMES[verb]} ended with status {process.returncode}")
    except DemoError as failed:
        if process.returncode:
            raise DemoError(f"{failed}; its log ends with:\n{_tail(log)}") from None
        raise
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _watch_alerts(stream: DemoStream, settings: Settings, console: Console, watch: _Watch) -> None:
    async for alert in read_messages(
        Alert, settings.broker, settings.topic("alerts"), settings.partitions, follow=True
    ):
        now = time.perf_counter()
        watch.alerts.append(alert)
        sent_at = watch.sent_at.get(alert.event_id)
        if sent_at is None and alert.entity_kind == "customer":
            continue
        if sent_at is not None:
            watch.latencies_ms.append(1000 * (now - sent_at))
        if watch.shown < SHOWN_ALERTS:
            note = "fraud indeed" if alert.event_id in stream.fraud_ids else ""
            console.print(alert_text(alert, note), highlight=False)
            watch.shown += 1
            if watch.shown == SHOWN_ALERTS:
                console.print("[dim]… further alerts are counted, not shown[/]")


async def _until_scored(settings: Settings, count: int, worker: asyncio.subprocess.Process) -> int:
    deadline = time.monotonic() + WAIT_SECONDS
    answered = 0
    while answered < count:
        if worker.returncode is not None:
            raise DemoError(f"the worker ended with status {worker.returncode}")
        if time.monotonic() > deadline:
            raise DemoError(f"{answered:,} of {count:,} transactions were answered in {WAIT_SECONDS:g} s")
        await asyncio.sleep(0.1)
        answered = await asyncio.to_thread(_answered, settings)
    return answered


def _answered(settings: Settings) -> int:
    """Return how many transactions were scored or rejected, by the worker's own metrics."""
    try:
        with urllib.request.urlopen(f"http://{settings.web_host}:{settings.web_port}/metrics", timeout=2) as reply:
            text = reply.read().decode()
    except (urllib.error.URLError, OSError):
        return 0
    total = 0.0
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            scored = sample.name == "riskstream_events_total" and sample.labels["event"] == "scored"
            rejected = sample.name == "riskstream_records_rejected_total" and sample.labels["job"] == "customers"
            if scored or rejected:
                total += sample.value
    return int(total)


def _print_summary(
    stream: DemoStream,
    watch: _Watch,
    console: Console,
    caught_up_seconds: float,
    live_seconds: float,
) -> None:
    live_ids = frozenset(stream.live_ids)
    frauds = stream.fraud_ids & live_ids
    # What came of the history is left out: profiles were still empty then.
    raised = {alert.event_id for alert in watch.alerts if alert.event_id in live_ids}
    market = sum(alert.entity_kind != "customer" for alert in watch.alerts)
    hits = len(raised & frauds)
    past, live = len(stream.past_transactions), len(stream.live_transactions)
    table = Table(title="What happened", title_style="bold", show_header=False, min_width=72)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("transactions scored, history and live", f"{past:,} + {live:,}")
    table.add_row("labels", f"{len(stream.past_labels) + len(stream.live_labels):,}")
    table.add_row(
        "ticks, curve points, positions", f"{len(stream.ticks):,}, {len(stream.rates):,}, {len(stream.positions):,}"
    )
    table.add_row("alerts on live transactions", f"{len(raised):,}")
    table.add_row("alerts on markets", f"{market:,}")
    table.add_row("precision: alerts that were fraud", f"{hits} of {len(raised)}, {hits / max(1, len(raised)):.0%}")
    table.add_row("recall: frauds that were alerted", f"{hits} of {len(frauds)}, {hits / max(1, len(frauds)):.0%}")
    if watch.latencies_ms:
        quantiles = np.percentile(watch.latencies_ms, SUMMARY_QUANTILES)
        names = " / ".join(f"p{quantile:g}" for quantile in SUMMARY_QUANTILES)
        table.add_row(f"sent to alert received, {names}", " / ".join(f"{q:.0f}" for q in quantiles) + " ms")
    table.add_row("throughput catching up, start included", f"{past / caught_up_seconds:,.0f} /s")
    table.add_row("throughput live (as sent)", f"{live / live_seconds:,.0f} /s")
    console.print()
    console.print(table)


def _tail(log: Path) -> str:
    return log.read_bytes()[-2_000:].decode("utf-8", "replace")
