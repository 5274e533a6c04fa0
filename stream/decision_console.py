"""The verb `decisions` of the command line: what was decided of applications."""

import asyncio
import contextlib
import sys
from typing import Annotated

import typer
from aiokafka.errors import KafkaError

from schemas.decision import Decision
from schemas.encoding import encode
from stream.console import load_settings, output, unreachable
from stream.decision_text import decision_text
from stream.message_reader import read_messages


def decisions(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with those that come.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line, as on the topic.")] = False,
) -> None:
    """Show the decisions on applications for credit, each with its reasons.

    Example: riskstream decisions --json | jq .outcome
    """
    settings = load_settings()
    topic = settings.topic("decisions")

    async def show() -> None:
        async for decision in read_messages(Decision, settings.broker, topic, settings.partitions, follow=follow):
            if as_json:
                sys.stdout.buffer.write(encode(decision) + b"\n")
                sys.stdout.buffer.flush()
            else:
                output.print(decision_text(decision), highlight=False)

    try:
        with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
            asyncio.run(show())
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
