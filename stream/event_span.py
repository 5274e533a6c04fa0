"""A span of events: by their time, or by where their messages lie in the log."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Unit = Literal["time", "offset"]


class SpanError(ValueError):
    """A span that cannot be meant; the message names the option, its value and the remedy."""


@dataclass(frozen=True, slots=True)
class EventSpan:
    """The events from `first` up to, and without, `end`; None leaves that side open.

    With the unit "time" both are event times, in nanoseconds since the Unix epoch; with "offset" both are offsets of
    an event's source message, the same in every partition of its topic.

    >>> EventSpan("offset", 10, None).contains(event_time_ns=0, offset=10)
    True
    >>> EventSpan("time", None, 5).contains(event_time_ns=5, offset=0)
    False
    """

    unit: Unit = "time"
    first: int | None = None
    end: int | None = None

    def contains(self, *, event_time_ns: int, offset: int) -> bool:
        """Tell whether an event lies in the span."""
        at = event_time_ns if self.unit == "time" else offset
        return (self.first is None or at >= self.first) and (self.end is None or at < self.end)

    def __str__(self) -> str:
        if self.first is None and self.end is None:
            return "everything"
        if self.unit == "time":
            sides = [(word, _iso(at)) for word, at in (("from", self.first), ("to", self.end)) if at is not None]
        else:
            sides = [
                (word, f"{at:,}") for word, at in (("from offset", self.first), ("to", self.end)) if at is not None
            ]
        return " ".join(f"{word} {at}" for word, at in sides)


def parse_span(first: str | None, end: str | None) -> EventSpan:
    """Return the span that the options --from and --to name: ISO times (UTC where they name no zone), or offsets.

    A text of digits alone is an offset. Raises SpanError for a text that is neither, for a time and an offset
    together, and for a span that is empty.

    >>> str(parse_span("2026-01-05T06:00", "2026-01-06"))
    'from 2026-01-05T06:00:00+00:00 to 2026-01-06T00:00:00+00:00'
    >>> parse_span("100", None)
    EventSpan(unit='offset', first=100, end=None)
    """
    bounds = [None if text is None else _bound(option, text) for option, text in (("--from", first), ("--to", end))]
    given = [bound for bound in bounds if bound is not None]
    if not given:
        return EventSpan()
    if len({unit for unit, _ in given}) > 1:
        raise SpanError(f"--from {first}, --to {end}: one is a time and one an offset; give two times or two offsets")
    lower, upper = (None if bound is None else bound[1] for bound in bounds)
    if lower is not None and upper is not None and upper <= lower:
        raise SpanError(f"--to {end}: is not after --from {first}, so nothing lies between; give a later one")
    return EventSpan(given[0][0], lower, upper)


def _bound(option: str, text: str) -> tuple[Unit, int]:
    if text.isascii() and text.isdecimal():
        return "offset", int(text)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise SpanError(
            f"{option} {text}: is neither a time nor an offset; write, for example, 2026-01-05T00:00 or 125000"
        ) from None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return "time", (at - _EPOCH) // timedelta(microseconds=1) * 1_000


def _iso(at_ns: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_ns // 1_000)).isoformat()
