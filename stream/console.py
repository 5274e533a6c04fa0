"""The verbs of the command line that serve: broker, topics, run, alerts."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table
from schemas.encoding import encode

from stream.alert_reader import read_alerts
from stream.alert_text import alert_text
from stream.broker_process import BrokerError
from stream.settings import Settings

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
            f"RISKSTREAM_{field.upper()}={first['input']!r}: {first['msg']}; see the table of settings in the README"
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
        async for alert in read_alerts(settings.broker, settings.topic("alerts"), settings.partitions, follow=follow):
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
