"""The verb `replay` of the command line: score the log again, and hold it against what was published."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from aiokafka.errors import KafkaError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from stream.console import errors, fail, load_settings, open_market_or_fail, open_or_fail, output, unreachable
from stream.event_span import EventSpan, SpanError, parse_span
from stream.scored_kind import KINDS, KindName

if TYPE_CHECKING:
    from risk.bundle import Bundle
    from risk.market.market_bundle import MarketBundle
    from stream.bundles import Bundles
    from stream.rescore import Extents, Rescored, Scoring
    from stream.scored_kind import ScoredKind
    from stream.scored_record import ScoredRecord
    from stream.settings import Settings


def replay(
    what: Annotated[KindName, typer.Argument(help="The stream that is scored again.")] = "transactions",
    first: Annotated[
        str | None, typer.Option("--from", help="First event: ISO time (UTC if it names no zone), or offset.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="End of the events, itself not included: ISO time, or offset.")
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="The bundle that scores; RISKSTREAM_BUNDLE if none, RISKSTREAM_MARKET_BUNDLE for markets."),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare with what was published; status 1 if the same bundle differs.")
    ] = False,
    target: Annotated[
        Path | None, typer.Option("--output", help="File for the re-scored records, as JSON lines.")
    ] = None,
    to_topic: Annotated[
        str | None, typer.Option(help="Topic for the re-scored alerts; made if it is not there.")
    ] = None,
) -> None:
    """Score a span of the log again, with any bundle, and compare it with what was published: the back-test of a model.

    Works offline: it joins no group, commits nothing and leaves the workers alone. State is built from the log's
    beginning, so the results of the same bundle are those published, byte for byte, as long as the log still holds
    its beginning; where records were removed, a warning says so.

    Offsets are those of the events' source messages, in every partition of their topic.

    Example: riskstream replay --compare

    Example: riskstream replay ticks --bundle bundles/other-market --compare

    Example: riskstream replay --from 2026-01-05T00:00 --to 2026-01-06 --bundle bundles/other --compare
    --output rescored.jsonl
    """
    from stream.outbox import OutboxError
    from stream.record_lines import RecordFileError
    from stream.rescore import scoring_of
    from stream.topics import TopicError

    kind = KINDS[what]
    settings = load_settings()
    try:
        span = parse_span(first, end)
    except SpanError as wrong:
        raise fail(str(wrong)) from None
    if target is not None and (target.is_dir() or not target.absolute().parent.is_dir()):
        raise fail(f"--output {target}: is no file in a folder that is there; name one")
    _check_topic(settings, to_topic)
    opened, bundles = _open(settings, what, bundle)
    scoring = scoring_of(settings, bundles, kind)
    try:
        rescored = asyncio.run(_replay(scoring, span, compare=compare, target=target, to_topic=to_topic))
    except (TopicError, OutboxError) as wrong:
        raise fail(str(wrong)) from None
    except RecordFileError as wrong:
        raise fail(f"--output {wrong}") from None
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    _show(rescored, kind, opened, span)
    comparison = rescored.comparison
    if comparison is not None and comparison.is_of(opened.version) and comparison.differences:
        errors.print(f"[red]{comparison.differences:,} records differ[/] from what was published", highlight=False)
        raise typer.Exit(1)


def _open(settings: "Settings", what: KindName, given: Path | None) -> tuple["Bundle | MarketBundle", "Bundles"]:
    """Return the bundle that scores, and what a worker has beside it."""
    from stream.bundles import Bundles

    if KINDS[what].bundle == "transactions":
        transactions = open_or_fail(settings.bundle if given is None else given)
        return transactions, Bundles(transactions)
    if given is None and not settings.market_bundle:
        raise fail(
            f"RISKSTREAM_MARKET_BUNDLE='': no bundle of markets, without which nobody scores {what}; set it as for the"
            " workers, or name one by --bundle"
        )
    market = open_market_or_fail(Path(settings.market_bundle) if given is None else given)
    return market, Bundles(open_or_fail(settings.bundle), market=market)


def _check_topic(settings: "Settings", name: str | None) -> None:
    from stream.topics import topics

    own = [topic.name for topic in topics(settings.topic_prefix, settings.partitions, settings.replication_factor)]
    if name is not None and name in own:
        raise fail(f"--to-topic {name}: is a topic that workers use; name one of your own")


async def _replay(
    scoring: "Scoring",
    span: EventSpan,
    *,
    compare: bool,
    target: Path | None,
    to_topic: str | None,
) -> "Rescored":
    from stream.alert_copies import AlertCopies
    from stream.record_lines import record_lines
    from stream.rescore import read_extents, records_to_read, rescore
    from stream.topics import Topic, create_topics

    settings = scoring.settings
    extents = await read_extents(scoring, compare=compare)
    _warn_of_removed(scoring.spec.source_topic, extents)
    if to_topic is not None:
        await create_topics(settings.broker, [Topic(to_topic, settings.partitions, settings.replication_factor)])
    with contextlib.ExitStack() as open_files:
        lines = None if target is None else open_files.enter_context(record_lines(target))
        copies = None if to_topic is None else AlertCopies(settings.broker, to_topic)

        async def take(records: "Sequence[ScoredRecord]") -> None:
            if lines is not None:
                lines.write(records)
            if copies is not None:
                await copies.write(records)

        try:
            if copies is not None:
                await copies.start()
            with Progress(
                TextColumn("records"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                console=errors, transient=True, disable=not errors.is_terminal,
            ) as progress:  # fmt: skip
                bar = progress.add_task("records", total=records_to_read(scoring, extents, compare=compare))
                rescored = await rescore(
                    scoring,
                    span,
                    extents,
                    compare=compare,
                    take=take,
                    on_read=lambda count: progress.advance(bar, count),
                )
            if copies is not None:
                await copies.deliver()
        finally:
            if copies is not None:
                await copies.stop()
    if lines is not None:
        output.print(f"{sum(rescored.records.values()):,} records written to {target}", highlight=False)
    if copies is not None:
        output.print(f"{copies.written:,} alerts published to {to_topic}", highlight=False)
    return rescored


def _warn_of_removed(topic: str, extents: "Extents") -> None:
    """Warn of partitions of a source whose first records are gone."""
    removed = {
        at.partition: extent.first for at, extent in sorted(extents.items()) if at.topic == topic and extent.first
    }
    if removed:
        places = ", ".join(f"{partition} begins at {first:,}" for partition, first in removed.items())
        errors.print(
            f"[yellow]warning:[/] {topic} has lost its beginning (partition {places}): state is built from what is"
            " left, and results can differ from the published ones",
            highlight=False,
            soft_wrap=True,
        )


def _show(rescored: "Rescored", kind: "ScoredKind", bundle: "Bundle | MarketBundle", span: EventSpan) -> None:
    from stream.replay_tables import comparison_tables

    output.print(f"[bold]{span}[/], re-scored by {bundle.manifest.name} {bundle.version}", highlight=False)
    table = Table()
    for stream in kind.streams:
        table.add_column(kind.events if stream == kind.event_stream else stream, justify="right")
    table.add_row(*(f"{rescored.records.get(stream, 0):,}" for stream in kind.streams))
    output.print(table)
    comparison = rescored.comparison
    if comparison is None:
        return
    who = ", ".join(f"{version} ({count:,} records)" for version, count in sorted(comparison.versions.items()))
    output.print(f"published in that span by: {who or 'nobody'}", highlight=False)
    if comparison.not_rescored:
        output.print(
            f"{comparison.not_rescored:,} published alerts are on events that were not re-scored", highlight=False
        )
    for one in comparison_tables(comparison, kind, bundle.version):
        output.print(one)
