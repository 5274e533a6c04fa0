"""The verb `send` of the command line: a file's history through the live path."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from history_messages import (
    application_messages,
    label_messages,
    position_messages,
    rate_messages,
    tick_messages,
    transaction_messages,
)
from stream import console as serving
from training import console as learning


class Sent(StrEnum):
    """What can be sent."""

    TRANSACTIONS = "transactions"
    LABELS = "labels"
    TICKS = "ticks"
    APPLICATIONS = "applications"
    RATES = "rates"
    POSITIONS = "positions"


def send(
    what: Annotated[Sent, typer.Argument(help="What the file is sent as.")],
    path: Annotated[Path, typer.Argument(help="Parquet or CSV file.")],
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN of the file; repeat for each field.")
    ] = None,
    rate: Annotated[str, typer.Option(help="Messages a second, or max.")] = "max",
    currency: Annotated[str, typer.Option(help="ISO 4217 code of amounts or yields.")] = "EUR",
    delay_days: Annotated[float, typer.Option(min=0.0, help="Days until a fraud is known, without label_time.")] = 7.0,
    text: Annotated[
        list[str] | None,
        typer.Option(help="Column of applications that is text even if it looks like numbers; repeat for each."),
    ] = None,
) -> None:
    """Send a file's history through the live path, in order of time.

    `labels` sends a fraud report for each fraud in a file of transactions, at its label time. `applications` sends
    every row as it stands: columns that are not mapped to application_id, applicant_id and event_time are its fields.
    `ticks` are quotes, trades or both. `rates` sends a table of par yields in --currency, with a column date and one
    for each tenor, such as 3M or 10Y. `positions` says what portfolios hold of symbols and bonds, from when on.

    Example: riskstream send transactions cards.parquet --map customer_id=CARD --rate 2000
    """
    from aiokafka.errors import KafkaError
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TransferSpeedColumn

    from stream.outbox import Outbox
    from stream.publisher import publish
    from training.applications import read_applications
    from training.history import HistoryError, read_history
    from training.market.position_history import read_positions
    from training.market.tick_history import read_ticks
    from training.rates.treasury import read_par_curves

    settings = serving.load_settings()
    per_second = None if rate == "max" else _rate(rate)
    fields = learning.parse_mapping(mapping or [])
    try:
        if what is Sent.TICKS:
            ticks = read_ticks(path, fields)
            total, messages = len(ticks.symbol), tick_messages(ticks)
        elif what is Sent.RATES:
            rates = read_par_curves(path, currency)
            total, messages = len(rates), rate_messages(rates)
        elif what is Sent.POSITIONS:
            positions = read_positions(path, fields)
            total, messages = len(positions), position_messages(positions)
        elif what is Sent.APPLICATIONS:
            applications = read_applications(path, fields, as_text=text or [])
            total, messages = len(applications), application_messages(applications)
        else:
            history = read_history(path, fields, delay_days=delay_days)
            labels = what is Sent.LABELS
            total = int(history.fraud.sum()) if labels else len(history)
            messages = label_messages(history) if labels else transaction_messages(history, currency)
    except (HistoryError, OSError) as wrong:
        raise serving.fail(str(wrong)) from None

    async def deliver() -> int:
        outbox = Outbox(settings.broker, client_id="riskstream-send")
        await outbox.start()
        try:
            with Progress(
                TextColumn(what.value), BarColumn(), MofNCompleteColumn(), TransferSpeedColumn(), console=serving.errors
            ) as progress:
                bar = progress.add_task(what.value, total=total)
                return await publish(
                    outbox,
                    settings.topic(what.value),
                    settings.partitions,
                    messages,
                    rate_per_second=per_second,
                    on_sent=lambda count: progress.advance(bar, count),
                )
        finally:
            await outbox.stop()

    try:
        sent = asyncio.run(deliver())
    except (KafkaError, OSError) as error:
        raise serving.unreachable(settings, error) from None
    serving.output.print(f"{sent:,} {what.value} sent to {settings.topic(what.value)} at {settings.broker}")


def _rate(given: str) -> float:
    try:
        rate = float(given)
    except ValueError:
        rate = 0.0
    if not 0.0 < rate <= 1e7:
        raise serving.fail(f"--rate {given}: is neither max nor a number of messages a second above 0")
    return rate
