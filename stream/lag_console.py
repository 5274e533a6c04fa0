"""The verb `riskstream lag`: how far consumer groups are behind."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import msgspec
import typer
from aiokafka.errors import KafkaError
from rich.markup import escape
from rich.table import Table

from stream.console import fail, load_settings, output, unreachable
from stream.group_lag import GroupLag, group_lags


def lag(
    group: Annotated[str | None, typer.Argument(help="A consumer group; every group if not given.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, an object for each partition.")] = False,
) -> None:
    """Show how many records consumer groups have yet to commit, by topic and partition.

    A worker's group is RISKSTREAM_APPLICATION_ID. It commits with each checkpoint, so it is a second behind at most
    where it keeps up.

    Example: riskstream lag riskstream
    """
    settings = load_settings()
    try:
        lags = asyncio.run(group_lags(settings.broker))
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    if group is not None:
        if group not in lags:
            known = ", ".join(lags) or "none"
            raise fail(f"GROUP {escape(group)}: is no group at {settings.broker}; groups there are: {escape(known)}")
        lags = {group: lags[group]}
    if as_json:
        every = [asdict(one) for found in lags.values() for one in found]
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(every), indent=2) + b"\n")
        return
    if not lags:
        output.print(f"no consumer group at {settings.broker}")
    for name, found in lags.items():
        output.print(_table(name, found) if found else f"[bold]{escape(name)}[/]: has committed nothing")


def _table(group: str, lags: Sequence[GroupLag]) -> Table:
    """Return a table of a group's lags, with the sum of each topic and of all."""
    table = Table("topic", "partition", "committed", "end", "lag", title=escape(group), title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    topics = sorted({one.topic for one in lags})
    for topic in topics:
        of_topic = [one for one in lags if one.topic == topic]
        for one in of_topic:
            committed = f"{one.committed:,}" if one.committed >= 0 else "none"
            table.add_row(topic, str(one.partition), committed, f"{one.end:,}", f"{one.records:,}")
        table.add_row(topic, "all", "", "", f"{sum(one.records for one in of_topic):,}", style="bold", end_section=True)
    if len(topics) > 1:
        table.add_row("all", "", "", "", f"{sum(one.records for one in lags):,}", style="bold")
    return table
