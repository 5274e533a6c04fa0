"""The command line `riskstream`: the one place that knows both the serving and the training side."""

import asyncio
import math
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from market_refit_console import refit
from stream import console as serving
from stream import state_console
from stream.decision_console import decisions
from stream.explain_console import explain
from stream.replay_console import replay
from training import console as learning
from training import data_console
from training.evaluate_console import evaluate_verb
from training.market import train_console as market_learning
from training.score_console import score_verb

if TYPE_CHECKING:
    from training.applications import Applications
    from training.history import History
    from training.market.tick_history import TickHistory

Message = tuple[str, bytes]
DEMO_SYMBOLS = ("EURUSD", "USDJPY", "GBPUSD", "AUDUSD")

main = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    help="Score risk on live streams of transactions and ticks: train a bundle, run workers, watch the alerts.",
)
bundles = typer.Typer(no_args_is_help=True, help="Look at bundles: what a worker scores with.")
states = typer.Typer(no_args_is_help=True, help="What workers keep in Kafka: profiles, volatility, where they are.")
markets = typer.Typer(no_args_is_help=True, help="Markets: learn volatility, risk and forecasts; report; refit.")
data = typer.Typer(no_args_is_help=True, help="Look at files of data: what they hold, before anything is learnt.")
main.command()(learning.train)
main.command()(evaluate_verb(serving.open_or_fail, serving.open_table_or_fail))
main.add_typer(data, name="data")
data.command("profile")(data_console.profile)
main.add_typer(markets, name="market")
markets.command("train")(market_learning.train)
markets.command("refit")(refit)
main.command()(score_verb(serving.open_table_or_fail))
main.add_typer(bundles, name="bundle")
main.add_typer(states, name="state")
states.command("rebuild")(state_console.rebuild)
bundles.command("show")(serving.show_bundle)
bundles.command("verify")(serving.verify_bundle)
main.command()(serving.broker)
main.command("topics")(serving.create_all_topics)
main.command()(serving.run)
main.command()(serving.alerts)
main.command()(explain)
main.command()(decisions)
main.command()(replay)


class Sent(StrEnum):
    """What can be sent."""

    TRANSACTIONS = "transactions"
    LABELS = "labels"
    TICKS = "ticks"
    APPLICATIONS = "applications"


@main.command()
def send(
    what: Annotated[Sent, typer.Argument(help="What the file is sent as.")],
    path: Annotated[Path, typer.Argument(help="Parquet or CSV file.")],
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN of the file; repeat for each field.")
    ] = None,
    rate: Annotated[str, typer.Option(help="Messages a second, or max.")] = "max",
    currency: Annotated[str, typer.Option(help="ISO 4217 code of the amounts.")] = "EUR",
    delay_days: Annotated[float, typer.Option(min=0.0, help="Days until a fraud is known, without label_time.")] = 7.0,
    text: Annotated[
        list[str] | None,
        typer.Option(help="Column of applications that is text even if it looks like numbers; repeat for each."),
    ] = None,
) -> None:
    """Send a file's history through the live path, in order of time.

    `labels` sends a fraud report for each fraud in a file of transactions, at its label time. `applications` sends
    every row as it stands: columns that are not mapped to application_id, applicant_id and event_time are its fields.

    Example: riskstream send transactions cards.parquet --map customer_id=CARD --rate 2000
    """
    from aiokafka.errors import KafkaError
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TransferSpeedColumn

    from stream.outbox import Outbox
    from stream.publisher import publish
    from training.applications import read_applications
    from training.history import HistoryError, read_history
    from training.market.tick_history import read_ticks

    settings = serving.load_settings()
    per_second = None if rate == "max" else _rate(rate)
    fields = learning.parse_mapping(mapping or [])
    try:
        if what is Sent.TICKS:
            ticks = read_ticks(path, fields)
            total, messages = len(ticks.symbol), tick_messages(ticks)
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


@main.command()
def demo(
    bundle: Annotated[Path, typer.Option(help="The bundle that scores.")] = Path("bundles/demo"),
    rate: Annotated[float, typer.Option(min=10.0, help="Live transactions a second.")] = 1500.0,
    seed: Annotated[int, typer.Option(help="Seed of the simulated stream.")] = 2029,
) -> None:
    """Watch a live stream being scored: broker, worker, simulated transactions, labels and ticks, alerts with reasons.

    Needs no data, no Java, no Docker; stops by itself and leaves nothing running.

    Example: riskstream demo --rate 500
    """
    import numpy as np

    from stream.broker_process import BrokerError
    from stream.demo import DemoError, DemoStream, run_demo
    from training.market.tick_simulator import MINUTE_NS, simulate_ticks
    from training.simulator import simulate_transactions

    serving.load_settings()
    serving.open_or_fail(bundle)
    history = simulate_transactions(customers=800, merchants=200, days=46, seed=seed)
    live_from_ns = int(np.quantile(history.event_time_ns, 0.88))
    live = history.where(np.flatnonzero(history.event_time_ns >= live_from_ns))
    past = history.where(np.flatnonzero(history.event_time_ns < live_from_ns))
    ticks = simulate_ticks(DEMO_SYMBOLS, 20_000, seed, start_ns=live_from_ns // MINUTE_NS * MINUTE_NS)
    stream = DemoStream(
        past_transactions=list(transaction_messages(past, "EUR")),
        past_labels=list(label_messages(past)),
        live_transactions=list(transaction_messages(live, "EUR")),
        live_labels=list(label_messages(live)),
        live_ids=live.transaction_id,
        ticks=list(tick_messages(ticks)),
        fraud_ids=frozenset(
            name for name, fraud in zip(history.transaction_id, history.fraud.tolist(), strict=True) if fraud
        ),
        rate_per_second=rate,
    )
    try:
        run_demo(stream, bundle, serving.output)
    except (DemoError, BrokerError) as failed:
        serving.errors.print(f"[red]the demonstration failed:[/] {failed}", highlight=False)
        raise typer.Exit(1) from None


def transaction_messages(history: "History", currency: str) -> Iterator[Message]:
    """Yield (customer, JSON) for each transaction, in the history's order."""
    from schemas.encoding import encode
    from schemas.transaction import Transaction

    for transaction_id, customer_id, merchant_id, amount, time_ns in zip(
        history.transaction_id,
        history.customer_id,
        history.merchant_id,
        history.amount.tolist(),
        history.event_time_ns.tolist(),
        strict=True,
    ):
        yield (
            customer_id,
            encode(
                Transaction(
                    schema_version=1,
                    transaction_id=transaction_id,
                    customer_id=customer_id,
                    merchant_id=merchant_id,
                    amount=amount,
                    currency=currency,  # type: ignore[arg-type]  # the worker refuses a code that is none
                    event_time_ns=time_ns,
                )
            ),
        )


def label_messages(history: "History") -> Iterator[Message]:
    """Yield (merchant, JSON) of a fraud report for each fraud, in the order of label times."""
    import numpy as np

    from schemas.encoding import encode
    from schemas.label import Label

    frauds = np.flatnonzero(history.fraud)
    for at in frauds[np.argsort(history.label_time_ns[frauds], kind="stable")].tolist():
        yield (
            history.merchant_id[at],
            encode(
                Label(
                    schema_version=1,
                    transaction_id=history.transaction_id[at],
                    customer_id=history.customer_id[at],
                    merchant_id=history.merchant_id[at],
                    transaction_time_ns=int(history.event_time_ns[at]),
                    event_time_ns=int(history.label_time_ns[at]),
                    fraud=True,
                )
            ),
        )


def tick_messages(ticks: "TickHistory") -> Iterator[Message]:
    """Yield (symbol, JSON) for each quote or trade, in order of time."""
    from msgspec import UNSET

    from schemas.encoding import encode
    from schemas.tick import Tick

    columns = (ticks.event_time_ns, ticks.bid, ticks.ask, ticks.price, ticks.size, ticks.sequence)
    rows: Iterable[tuple[str, int, float, float, float, float, int]] = zip(
        ticks.symbol, *(column.tolist() for column in columns), strict=True
    )
    for symbol, time_ns, bid, ask, price, size, sequence in rows:
        quoted, traded = not math.isnan(bid), not math.isnan(price)
        tick = Tick(
            schema_version=1,
            symbol=symbol,
            event_time_ns=time_ns,
            bid=bid if quoted else UNSET,
            ask=ask if quoted else UNSET,
            price=price if traded else UNSET,
            size=size if traded else UNSET,
            sequence=None if sequence < 0 else sequence,
        )
        yield symbol, encode(tick)


def application_messages(applications: "Applications") -> Iterator[Message]:
    """Yield (applicant, JSON) for each application, in the file's order."""
    from schemas.application import Application
    from schemas.encoding import encode

    for application_id, applicant_id, time_ns, fields in zip(
        applications.application_id,
        applications.applicant_id,
        applications.event_time_ns.tolist(),
        applications.fields,
        strict=True,
    ):
        yield applicant_id, encode(Application(1, application_id, applicant_id, time_ns, fields))


def _rate(given: str) -> float:
    try:
        rate = float(given)
    except ValueError:
        rate = 0.0
    if not 0.0 < rate <= 1e7:
        raise serving.fail(f"--rate {given}: is neither max nor a number of messages a second above 0")
    return rate


if __name__ == "__main__":
    main()
