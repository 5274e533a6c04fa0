"""The verbs `forward webhook` and `forward parquet` of the command line: alerts for those who do not read Kafka."""

from pathlib import Path
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from stream.console import fail, load_settings, output, unreachable

forward = typer.Typer(no_args_is_help=True, help="Hand alerts on: to a web server, or into files by day.")


@forward.command("webhook")
def forward_webhook(
    url: Annotated[str, typer.Argument(help="Where each alert is sent by POST; https, or http on this machine.")],
    group: Annotated[
        str, typer.Option(help="Consumer group; by default <application id>-forward-webhook.", show_default=False)
    ] = "",
    tries: Annotated[int, typer.Option(min=1, help="Requests for an alert before it is dead-lettered.")] = 12,
    max_elapsed_seconds: Annotated[
        float, typer.Option(min=0.0, help="No try for an alert later than this after its first.")
    ] = 3600.0,
    timeout_seconds: Annotated[float, typer.Option(min=0.1, max=60.0, help="How long a request may take.")] = 10.0,
    unsigned: Annotated[bool, typer.Option("--unsigned", help="Send without a signature.")] = False,
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="Send in plain text, beyond this machine too.")
    ] = False,
) -> None:
    """Send every alert to a web server, as a CloudEvent with a signature, until Ctrl-C or SIGTERM.

    Each is sent at least once, in the order of its partition; its id is that of the alert, so a receiver knows repeats.
    What cannot be delivered goes to the topic forward-deadletter. Start several to share the partitions.

    Example: RISKSTREAM_WEBHOOK_SECRET=whsec_... riskstream forward webhook https://alerts.example.com/riskstream
    """
    from stream.forward.delivery import Limits
    from stream.forward.process import run_forwarder
    from stream.forward.webhook import Receiver, forward_to_webhook
    from stream.forward.webhook_address import check_address
    from stream.forward.webhook_signature import signing_key
    from stream.topics import TopicError

    settings = load_settings()
    try:
        check_address(url, plain_http=plain_http)
    except ValueError as wrong:
        # The address itself is not shown: it may hold a secret.
        raise fail(f"URL {wrong}") from None
    secret = settings.webhook_secret.get_secret_value()
    if unsigned and secret:
        raise fail("--unsigned, RISKSTREAM_WEBHOOK_SECRET: give one of the two")
    if not unsigned and not secret:
        raise fail(
            "RISKSTREAM_WEBHOOK_SECRET='': nothing to sign with; set it to whsec_ and the output of"
            " `openssl rand -base64 32`, or give --unsigned"
        )
    try:
        key = None if unsigned else signing_key(secret)
    except ValueError as wrong:
        raise fail(
            f"RISKSTREAM_WEBHOOK_SECRET {wrong}; set it to whsec_ and the output of `openssl rand -base64 32`"
        ) from None
    receiver = Receiver(url, key, timeout_seconds)
    own_group = group or f"{settings.application_id}-forward-webhook"
    limits = Limits(tries, max_elapsed_seconds)
    try:
        done = run_forwarder(settings, lambda stop: forward_to_webhook(settings, own_group, receiver, limits, stop))
    except TopicError as wrong:
        raise fail(str(wrong)) from None
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    output.print(
        f"{done.delivered} alerts delivered, {done.retried} requests made again,"
        f" {done.dead_lettered} messages dead-lettered"
    )


@forward.command("parquet")
def forward_parquet(
    folder: Annotated[Path, typer.Argument(help="Folder of the audit trail; made if it is not there.")],
    group: Annotated[
        str, typer.Option(help="Consumer group; by default <application id>-forward-parquet.", show_default=False)
    ] = "",
    every_seconds: Annotated[
        float, typer.Option(min=1.0, help="How long alerts are gathered for a file; sooner where there are many.")
    ] = 60.0,
) -> None:
    """Keep every alert in files of Parquet, FOLDER/date=YYYY-MM-DD by event time, until Ctrl-C or SIGTERM.

    Each alert is in one file, once, whatever dies. Start several on the same folder to share the partitions; needs
    the extra `history`.

    Example: riskstream forward parquet audit --every-seconds 300
    """
    from stream.forward.process import run_forwarder
    from stream.topics import TopicError

    settings = load_settings()
    try:
        from stream.forward.audit_trail import TrailError, forward_to_trail
    except ImportError as absent:
        raise fail(
            f"riskstream forward parquet: {absent}; install the extra: pip install 'riskstream\\[history]'"
        ) from None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as wrong:
        raise fail(f"FOLDER {folder}: {wrong.strerror}; name a folder that can be written") from None
    own_group = group or f"{settings.application_id}-forward-parquet"
    try:
        done = run_forwarder(settings, lambda stop: forward_to_trail(settings, own_group, folder, every_seconds, stop))
    except TrailError as wrong:
        raise fail(f"FOLDER {folder}: {wrong}") from None
    except TopicError as wrong:
        raise fail(str(wrong)) from None
    except KafkaError as error:
        raise unreachable(settings, error) from None
    except OSError as wrong:
        raise fail(f"FOLDER {folder}: {wrong.strerror}; what was not written is read again at the next start") from None
    output.print(f"{done.alerts} alerts written, {done.dead_lettered} messages dead-lettered")
