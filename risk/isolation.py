"""Finds the messages that a fold cannot process, by bisection.

A message that makes the core raise is a fault of the core; it must neither stop its partition nor take others with
it. The state that an exception left behind is worth nothing, so every trial starts from a state that was made durable
and goes through what the log holds since then, without the messages under suspicion.
"""

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Protocol

from risk.chunk import Chunk
from risk.fold import Emitted, Fold
from schemas.source import Source

FAILURE_LIMIT = 10
"""With more messages of one chunk that fail, the messages are not what is at fault."""


class Parts(Protocol):
    """What a chunk consists of, down to what can be left out alone."""

    def of(self, chunk: Chunk) -> list[Source]:
        """Return where the messages come from that the chunk carries, in its order."""

    def without(self, chunk: Chunk, excluded: Set[Source]) -> Chunk:
        """Return the chunk as if some of them had never come."""


class Records:
    """Each record of a chunk is a message."""

    def of(self, chunk: Chunk) -> list[Source]:
        """Return the records' places."""
        return [
            Source(topic=chunk.topic, partition=chunk.partition, offset=offset) for offset in chunk.offsets.tolist()
        ]

    def without(self, chunk: Chunk, excluded: Set[Source]) -> Chunk:
        """Return the chunk without some records."""
        return chunk.where([at for at, source in enumerate(self.of(chunk)) if source not in excluded])


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that the fold raised on."""

    source: Source
    error: str


@dataclass(frozen=True, slots=True)
class Isolated:
    """The fold after the log without the failures, what its last chunk gave, and the failures."""

    fold: Fold
    emitted: Emitted
    failures: tuple[Failure, ...]


def isolate(
    new_fold: Callable[[], Fold], log: Sequence[Chunk], parts: Parts, known: Set[Source] = frozenset()
) -> Isolated:
    """Advance a new fold by a log whose last chunk it raised on, leaving out the messages that make it raise.

    `new_fold` gives the last durable state; `log` is all since then; `known` are messages that are to be left out
    because of earlier failures. A message is found in as many trials as the
    log's count of messages has binary digits. When nothing raises any more, because the cause was a passing one, there
    are no failures. Raises the fold's own exception when it raises without any message too, or on more than
    `FAILURE_LIMIT` messages: then something else is broken, and leaving messages out would hide it.
    """
    excluded: set[Source] = set(known)
    failures: list[Failure] = []
    while True:
        outcome = _trial(new_fold, log, parts, excluded)
        if not isinstance(outcome, Exception):
            fold, emitted = outcome
            return Isolated(fold, emitted, tuple(failures))
        # Sources may lie in several chunks: what is sent again after a crash is the same message.
        suspects = list(dict.fromkeys(source for chunk in log for source in parts.of(chunk) if source not in excluded))
        if len(failures) == FAILURE_LIMIT or not suspects:
            raise outcome
        good, bad, error = 0, len(suspects), outcome
        if isinstance(found := _trial(new_fold, log, parts, excluded.union(suspects)), Exception):
            raise found
        while bad - good > 1:
            middle = (good + bad) // 2
            found = _trial(new_fold, log, parts, excluded.union(suspects[middle:]))
            if isinstance(found, Exception):
                bad, error = middle, found
            else:
                good = middle
        excluded.add(suspects[good])
        failures.append(Failure(suspects[good], type(error).__name__))


def _trial(
    new_fold: Callable[[], Fold], log: Sequence[Chunk], parts: Parts, excluded: Set[Source]
) -> tuple[Fold, Emitted] | Exception:
    fold = new_fold()
    emitted = Emitted()
    try:
        for chunk in log:
            emitted = fold.advance(parts.without(chunk, excluded))
    except Exception as error:
        return error
    return fold, emitted
