import pytest

from stream.event_span import EventSpan, SpanError, parse_span

MIDNIGHT_NS = 1_767_571_200_000_000_000
"""2026-01-05, UTC."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05", MIDNIGHT_NS),
        ("2026-01-05T00:00", MIDNIGHT_NS),
        ("2026-01-05T00:00Z", MIDNIGHT_NS),
        ("2026-01-05T02:00+02:00", MIDNIGHT_NS),
        ("2026-01-05T00:00:00.000001", MIDNIGHT_NS + 1_000),
    ],
)
def test_a_time_is_utc_unless_it_names_a_zone(text: str, expected: int) -> None:
    """Every ISO form of an instant gives its nanoseconds since the epoch, exactly."""
    assert parse_span(text, None) == EventSpan("time", expected, None)


def test_digits_are_an_offset() -> None:
    """A text of digits is an offset, on either side."""
    assert parse_span("0", "20260105") == EventSpan("offset", 0, 20260105)
    assert parse_span(None, "7") == EventSpan("offset", None, 7)


def test_a_span_holds_its_first_and_not_its_end() -> None:
    """The span is half open, in its own unit alone."""
    by_time = EventSpan("time", 10, 20)
    assert [by_time.contains(event_time_ns=at, offset=15) for at in (9, 10, 19, 20)] == [False, True, True, False]
    by_offset = EventSpan("offset", 10, 20)
    assert [by_offset.contains(event_time_ns=15, offset=at) for at in (9, 10, 19, 20)] == [False, True, True, False]
    assert parse_span(None, None).contains(event_time_ns=-(2**63), offset=0)


@pytest.mark.parametrize(
    ("first", "end", "told"),
    [
        ("May", None, ["--from May", "2026-01-05T00:00"]),
        (None, "-5", ["--to -5", "neither a time nor an offset"]),
        ("5", "2026-01-05", ["--from 5, --to 2026-01-05", "two offsets"]),
        ("2026-01-05", "2026-01-05", ["--to 2026-01-05", "is not after --from"]),
        ("9", "8", ["--to 8", "is not after --from 9"]),
    ],
)
def test_a_span_that_cannot_be_meant_is_refused(first: str | None, end: str | None, told: list[str]) -> None:
    """The message names the option, its value and the remedy."""
    with pytest.raises(SpanError) as refused:
        parse_span(first, end)
    assert all(one in str(refused.value) for one in told)


def test_a_span_is_told_in_words() -> None:
    """What is shown names the sides that are bounded."""
    assert str(EventSpan()) == "everything"
    assert str(parse_span(None, "1500")) == "to 1,500"
    assert str(parse_span("2026-01-05", None)) == "from 2026-01-05T00:00:00+00:00"
