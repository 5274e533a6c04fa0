"""Messages that the engine raises on: found from the last checkpoint and the log since, and dead-lettered."""

import asyncio
from collections.abc import Set

import msgspec
import structlog

from risk.chunk import Chunk
from risk.dead_letters import dead_letter_output
from risk.fold import Fold, Output
from risk.isolation import Failure, Isolated, isolate
from risk.rejection import Rejection
from schemas.source import Source
from stream.changelog import last_checkpoint
from stream.job_spec import JobSpec
from stream.log_span import read_chunks

log = structlog.get_logger(__name__)


async def isolate_failures(bootstrap: str, spec: JobSpec, partition: int, chunk: Chunk, known: Set[Source]) -> Isolated:
    """Return a fold that has taken the chunk, but for the messages in it that a fold raises on.

    It starts from the partition's last checkpoint; `known` failures are left out from the beginning. No checkpoint
    may be written meanwhile. Raises the fold's exception as `risk.isolation.isolate` does.
    """
    version = spec.new_fold(partition).state_version
    restored = await last_checkpoint(bootstrap, spec.changelog_topic, partition, version, lambda count: None)

    def new_fold() -> Fold:
        fold = spec.new_fold(partition)
        if restored.cut is not None:
            fold.restore(restored.cut.fold_cut, restored.rows)
        return fold

    first = new_fold().read_on_offset()
    since = [one async for one in read_chunks(bootstrap, chunk.topic, partition, first, chunk.first_offset)]
    # In a thread: it is many trials, during which other partitions are scored.
    isolated = await asyncio.to_thread(isolate, new_fold, [*since, chunk], spec.parts, known)
    for failure in isolated.failures:
        source = failure.source
        log.error(
            "message_put_aside",
            job=spec.name,
            error=failure.error,
            topic=source.topic,
            partition=source.partition,
            offset=source.offset,
        )
    return isolated


async def failure_letter(bootstrap: str, failure: Failure, partition: int) -> Output:
    """Return the dead letter of a failure, for the job's own partition, with the message as it lies in its topic."""
    source = failure.source
    found = Chunk.of(source.topic, source.partition, (source.offset,), (None,), (None,), caught_up=False)
    async for one in read_chunks(bootstrap, source.topic, source.partition, source.offset, source.offset + 1):
        found = one
    rejection = Rejection(
        0,
        "processing_failed",
        f"the engine raised {failure.error} on this message: report it with the worker's log, and send it again"
        " once that is mended",
    )
    return msgspec.structs.replace(dead_letter_output(found, rejection), partition=partition)
