import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.forward.tries import Verdict, read_retry_after, verdict, wait_seconds


@pytest.mark.parametrize(
    ("meaning", "statuses"),
    [
        ("delivered", [200, 201, 202, 204, 299]),
        ("again", [408, 429, 500, 502, 503, 504, 599, None]),
        ("refused", [301, 302, 307, 308, 400, 401, 403, 404, 410, 413, 422]),
    ],
)
def test_what_a_status_means(meaning: Verdict, statuses: list[int | None]) -> None:
    """Success delivers; what may pass is tried again; all else would be the same again."""
    assert [verdict(status) for status in statuses] == [meaning] * len(statuses)


@given(st.integers(min_value=1, max_value=10_000), st.floats(min_value=0.0, max_value=1.0))
def test_a_wait_is_a_fraction_of_a_span_that_doubles_to_its_limit(tries: int, fraction: float) -> None:
    """Full jitter: the wait is the fraction that chance gave, of 1, 2, 4, ... up to 300 seconds."""
    span = 1.0
    for _ in range(tries - 1):
        span = min(2.0 * span, 300.0)
    assert wait_seconds(tries, fraction, None) == fraction * span


@given(st.floats(min_value=0.0, max_value=1.0), st.floats(min_value=0.0, max_value=1e6))
def test_what_the_receiver_asks_for_is_waited_at_least(fraction: float, asked_seconds: float) -> None:
    """Retry-After lengthens a wait and never shortens it."""
    waited = wait_seconds(9, fraction, asked_seconds)
    assert waited == max(asked_seconds, wait_seconds(9, fraction, None))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37.0),
        ("Sun, 06 Nov 1994 08:48:59 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """Both forms of RFC 9110 are read, a date as seconds from now; anything else asks for nothing."""
    assert read_retry_after(header, 784_111_740.0) == seconds
