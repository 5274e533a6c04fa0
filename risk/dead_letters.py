"""Makes the dead letters of records that could not be used."""

from collections import Counter
from collections.abc import Iterable

from risk.chunk import Chunk
from risk.fold import Emitted, Output
from risk.rejection import Rejection
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.source import Source


def dead_letter_output(chunk: Chunk, rejection: Rejection) -> Output:
    """Return the dead letter of a rejected record of the chunk, identified by its place in the log.

    >>> chunk = Chunk.of("ticks", 3, offsets=(7,), keys=(b"EURUSD",), values=(b"?",), caught_up=True)
    >>> output = dead_letter_output(chunk, Rejection(index=0, reason="not_json", detail="send JSON"))
    >>> output.stream, output.partition, output.identity
    ('dead_letters', 3, b'ticks/3/7')
    """
    offset, value = int(chunk.offsets[rejection.index]), chunk.values[rejection.index]
    letter = DeadLetter(
        schema_version=1,
        source=Source(topic=chunk.topic, partition=chunk.partition, offset=offset),
        reason=rejection.reason,
        detail=rejection.detail,
        key=chunk.keys[rejection.index],
        payload=b"" if value is None else value,
    )
    identity = f"{chunk.topic}/{chunk.partition}/{offset}".encode()
    # No key: the letter holds the record's, and a huge one sent twice would not fit a request.
    return Output("dead_letters", chunk.partition, None, encode(letter), identity)


def reject(emitted: Emitted, chunk: Chunk, rejections: Iterable[Rejection]) -> None:
    """Add the dead letters of a chunk's rejections, in the order of the chunk, and count them by reason."""
    ordered = sorted(rejections, key=lambda rejection: rejection.index)
    emitted.outputs += [dead_letter_output(chunk, rejection) for rejection in ordered]
    emitted.rejected = Counter(rejection.reason for rejection in ordered)
