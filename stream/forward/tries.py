"""How often a request is made, what its answer means, and how long to wait before the next."""

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal

FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0

Verdict = Literal["delivered", "again", "refused"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request.

    `status` is None where no answer came, and `failure` then names why; `retry_after_seconds` is what the receiver
    asked for, if it did.
    """

    status: int | None
    retry_after_seconds: float | None = None
    failure: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        return f"status {self.status}" if self.status is not None else f"no answer ({self.failure})"


def verdict(status: int | None) -> Verdict:
    """Return what an HTTP status means; none is that no answer came.

    Too many requests (429), a timeout (408), a fault of the server and no answer at all pass; another try may do.
    Everything else would be the same again, redirections too, since they are not followed.

    >>> [verdict(status) for status in (204, 301, 404, 429, 503, None)]
    ['delivered', 'refused', 'refused', 'again', 'again', 'again']
    """
    if status is None or status in (408, 429) or status >= 500:
        return "again"
    return "delivered" if 200 <= status < 300 else "refused"


def wait_seconds(tries: int, fraction: float, retry_after_seconds: float | None) -> float:
    """Return how long to wait after so many tries: exponential backoff with full jitter.

    `fraction`, drawn anew from 0 to 1 for each wait, spreads the load of many senders evenly over a span that doubles
    from 1 s to 300 s. What the receiver asked for is waited at least.

    >>> [wait_seconds(tries, 1.0, None) for tries in (1, 2, 3, 9, 10, 2000)]
    [1.0, 2.0, 4.0, 256.0, 300.0, 300.0]
    >>> wait_seconds(3, 0.25, None), wait_seconds(3, 0.25, 30.0)
    (1.0, 30.0)
    """
    doublings = min(tries - 1, 60)
    backoff = fraction * min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0**doublings)
    return max(backoff, retry_after_seconds or 0.0)


def read_retry_after(header: str | None, now_seconds: float) -> float | None:
    """Return the seconds that a header `Retry-After` asks for (RFC 9110), or None where it asks for nothing readable.

    >>> read_retry_after("120", 0.0)
    120.0
    >>> read_retry_after("Thu, 01 Jan 1970 00:01:00 GMT", 20.0)
    40.0
    """
    if header is None:
        return None
    if header.isascii() and header.isdigit():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - now_seconds)
    except (ValueError, OverflowError):
        return None
