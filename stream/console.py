"""The verbs of the command line that serve: broker, topics, run, alerts, bundle."""

import asyncio
import contextlib
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.alert import Alert
from schemas.encoding import encode
from stream.alert_text import alert_text
from stream.broker_process import BrokerError
from stream.message_reader import read_messages
from stream.settings import Settings

if TYPE_CHECKING:
    from risk.bundle import Bundle
    from risk.market.market_bundle import MarketBundle
    from risk.table_bundle import TableBundle
    from stream.bundle_files import AnyBundle

output = Console()
errors = Console(stderr=True)


def fail(message: str) -> typer.Exit:
    """Print one line on standard error and return the exit of a usage error, to be raised."""
    errors.print(f"[red]error:[/] {message}", highlight=False, soft_wrap=True)
    return typer.Exit(2)


def load_settings() -> Settings:
    """Read the settings from the environment; on a bad value, exit with status 2, naming it and the remedy."""
    try:
        return Settings()
    except ValidationError as invalid:
        first = invalid.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise fail(
            f"RISKSTREAM_{field.upper()}={first['input']!r}: {first['msg']}; see docs/reference/settings.md"
        ) from None


def unreachable(settings: Settings, error: Exception) -> typer.Exit:
    """Return the exit for a broker that does not answer."""
    return fail(
        f"RISKSTREAM_BROKER={settings.broker}: {type(error).__name__}: {error}; is the broker running there?"
        " `riskstream broker` starts one"
    )


def broker(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 9092,
    data: Annotated[Path, typer.Option(help="Directory for the broker's data.")] = Path(".riskstream/broker"),
) -> None:
    """Run the embedded broker until Ctrl-C: Kafka's protocol without Java or Docker, for trying things out.

    Example: riskstream broker --port 9092
    """
    from stream.embedded_broker import embedded_broker

    try:
        with embedded_broker(data, port) as running:
            output.print(f"broker at [bold]{running.bootstrap}[/], data in {data}; Ctrl-C stops it")
            signals = {signal.SIGINT, signal.SIGTERM}
            signal.pthread_sigmask(signal.SIG_BLOCK, signals)
            signal.sigwait(signals)
    except BrokerError as failed:
        raise fail(str(failed)) from None


def create_all_topics() -> None:
    """Create every topic that riskstream uses; those that exist are checked and left as they are.

    Example: RISKSTREAM_BROKER=kafka:9092 RISKSTREAM_PARTITIONS=12 riskstream topics
    """
    from stream.topics import TopicError, create_topics, topics

    settings = load_settings()
    wanted = topics(settings.topic_prefix, settings.partitions, settings.replication_factor)
    try:
        asyncio.run(create_topics(settings.broker, wanted))
    except TopicError as wrong:
        raise fail(str(wrong)) from None
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    table = Table("topic", "partitions", "settings", title=f"topics at {settings.broker}")
    for topic in wanted:
        table.add_row(topic.name, str(topic.partitions), ", ".join(f"{k}={v}" for k, v in topic.config.items()))
    output.print(table)


def run() -> None:
    """Run a worker until Ctrl-C or SIGTERM; start more of them to share the partitions.

    It logs JSON on standard error and serves /metrics, /live and /ready. All settings come from the environment.

    Example: RISKSTREAM_BUNDLE=bundles/demo riskstream run
    """
    from risk.bundle import BundleError
    from stream.topics import TopicError
    from stream.worker import run_worker

    settings = load_settings()
    try:
        status = run_worker(settings)
    except (BundleError, TopicError) as wrong:
        raise fail(str(wrong)) from None
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    raise typer.Exit(status)


def alerts(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with those that come.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, as on the topic.")] = False,
) -> None:
    """Show the alerts on the topic, each with its reasons.

    Example: riskstream alerts --follow --json | jq .reasons
    """
    settings = load_settings()

    async def show() -> None:
        async for alert in read_messages(
            Alert, settings.broker, settings.topic("alerts"), settings.partitions, follow=follow
        ):
            if as_json:
                sys.stdout.buffer.write(encode(alert) + b"\n")
                sys.stdout.buffer.flush()
            else:
                output.print(alert_text(alert), highlight=False)

    try:
        with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
            asyncio.run(show())
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None


def open_or_fail(path: Path) -> "Bundle":
    """Return the verified bundle of transactions at a path.

    Exits with status 2, naming what is wrong, if there is none, or one that must not be served.
    """
    from risk.bundle import BundleError
    from stream.bundle_files import read_bundle

    try:
        return read_bundle(path)
    except (BundleError, OSError) as wrong:
        raise fail(str(wrong)) from None


def open_any_or_fail(path: Path) -> "AnyBundle":
    """Return the verified bundle at a path, of whichever kind; exits as `open_or_fail`."""
    from risk.bundle import BundleError
    from stream.bundle_files import read_any_bundle

    try:
        return read_any_bundle(path)
    except (BundleError, OSError) as wrong:
        raise fail(str(wrong)) from None


def open_table_or_fail(path: Path) -> "TableBundle":
    """Return the verified bundle of a table at a path; exits as `open_or_fail`."""
    from risk.bundle import BundleError
    from stream.bundle_files import read_table_bundle

    try:
        return read_table_bundle(path)
    except (BundleError, OSError) as wrong:
        raise fail(str(wrong)) from None


def open_market_or_fail(path: Path) -> "MarketBundle":
    """Return the verified bundle of markets at a path; exits as `open_or_fail`."""
    from risk.bundle import BundleError
    from stream.bundle_files import read_market_bundle

    try:
        return read_market_bundle(path)
    except (BundleError, OSError) as wrong:
        raise fail(str(wrong)) from None


def show_bundle(path: Annotated[Path, typer.Argument(help="A bundle's directory.")]) -> None:
    """Show what a bundle holds: model, features or columns, thresholds, figures, the scorecard, models of markets.

    Example: riskstream bundle show bundles/demo
    """
    from risk.market.market_bundle import MarketBundle
    from risk.table_bundle import TableBundle
    from stream.market_bundle_tables import market_bundle_tables
    from stream.table_bundle_tables import table_bundle_tables

    bundle = open_any_or_fail(path)
    if isinstance(bundle, MarketBundle):
        for shown in market_bundle_tables(bundle):
            output.print(shown)
        return
    if isinstance(bundle, TableBundle):
        for shown in table_bundle_tables(bundle):
            output.print(shown)
        return
    manifest = bundle.manifest
    table = Table(title=f"{manifest.name} {bundle.version}", show_header=False)
    table.add_column(style="dim")
    table.add_column()
    window = manifest.training_window
    days = " to ".join(
        datetime.fromtimestamp(at / 1e9, tz=UTC).date().isoformat() for at in (window.start_ns, window.end_ns - 1)
    )
    scaling = "frozen" if manifest.normaliser.half_life_days is None else f"{manifest.normaliser.half_life_days} days"
    table.add_row("model", manifest.model)
    table.add_row("trained on", f"{days}: {window.transactions:,} transactions, {window.frauds:,} frauds")
    table.add_row("thresholds", f"review {manifest.thresholds.review:.4f}, decline {manifest.thresholds.decline:.4f}")
    table.add_row("normaliser", f"{manifest.normaliser.kind}, {scaling}")
    table.add_row("currency", manifest.currency)
    for note in manifest.notes:
        table.add_row("note", escape(note))
    table.add_row("command", manifest.command)
    table.add_row("libraries", ", ".join(f"{name} {number}" for name, number in manifest.library_versions.items()))
    output.print(table)
    figures = Table("model", "AUC", "average precision", "card precision@100", title="on the test window, as served")
    for model, found in manifest.metrics.items():
        figures.add_row(
            model,
            *(f"{found.get(name, float('nan')):.3f}" for name in ("auc", "average_precision", "card_precision_at_100")),
        )
    output.print(figures)
    features = Table("feature", "usual value", "reason code", title="features, in order")
    for name in manifest.features:
        features.add_row(name, f"{manifest.usual_values[name]:,.4g}", manifest.reason_codes[name])
    output.print(features)


def verify_bundle(path: Annotated[Path, typer.Argument(help="A bundle's directory.")]) -> None:
    """Verify a bundle as a worker does: hashes, features and state versions or columns, golden rows or bars.

    Example: riskstream bundle verify bundles/demo
    """
    from risk.bundle import Bundle
    from risk.table_bundle import TableBundle

    bundle = open_any_or_fail(path)
    what = "columns and golden rows" if isinstance(bundle, TableBundle) else "parameters and golden bars"
    if isinstance(bundle, Bundle):
        what = "features, state and golden rows"
    output.print(f"[green]good[/] {bundle.manifest.name} {bundle.version}: hashes, {what} agree")
