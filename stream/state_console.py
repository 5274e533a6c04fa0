"""The verbs `state ...` of the command line: what workers keep in Kafka."""

import asyncio

from aiokafka.errors import KafkaError
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from stream.console import errors, fail, load_settings, output, unreachable


def rebuild() -> None:
    """Make the state of all workers anew, by folding the source again up to where they had come.

    For a release that reads another version of the state: it refuses to start on the former one. Nothing is
    published. Stop the workers first, and start them afterwards: they go on where they stopped. The topics must still
    hold their beginning.

    Example: RISKSTREAM_BUNDLE=bundles/cards riskstream state rebuild
    """
    from risk.bundle import BundleError
    from stream.app import job_specs
    from stream.bundles import read_bundles
    from stream.state_rebuild import RebuildError, Rebuilt, rebuild_state

    settings = load_settings()
    try:
        specs = job_specs(settings, read_bundles(settings))
    except BundleError as wrong:
        raise fail(str(wrong)) from None
    columns = (SpinnerColumn(), TextColumn("records read"), MofNCompleteColumn(), TimeElapsedColumn())

    async def run() -> list[Rebuilt]:
        with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
            task = progress.add_task("", total=None)
            return [one async for one in rebuild_state(settings, specs, lambda count: progress.advance(task, count))]

    try:
        rebuilt = asyncio.run(run())
    except RebuildError as wrong:
        raise fail(str(wrong)) from None
    except (KafkaError, OSError) as error:
        raise unreachable(settings, error) from None
    table = Table("job", "partition", "records", "rows", "was", "is", title=f"state of {settings.application_id}")
    for one in rebuilt:
        table.add_row(one.job, str(one.partition), f"{one.records:,}", f"{one.rows:,}", one.was, one.now)
    output.print(table)
