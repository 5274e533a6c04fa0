"""How long to let records gather before the next fetch.

A fetch costs half a millisecond of CPU whatever it brings, so under a steady stream it should bring some records; but a
record must not wait long for company that does not come. After a lull the first record is fetched at once, since the
wait lies behind a fetch and not before it. What is behind is fetched without a wait.
"""

import math

RECORDS_WANTED = 20
LEAST_SECONDS = 0.002
MOST_SECONDS = 0.010
BEHIND_RECORDS = 1024
_MEMORY_SECONDS = 0.2


class FetchPacing:
    """Watches what fetches bring, and says how far apart they should be.

    >>> pacing = FetchPacing(now_seconds=0.0)
    >>> for at in range(1, 200):
    ...     pacing.fetched(40, at * 0.01)
    >>> round(pacing.period_seconds, 3)
    0.005
    """

    def __init__(self, now_seconds: float) -> None:
        self._fetched_seconds = now_seconds
        self._records_per_second = 0.0
        self._behind = False

    def fetched(self, records: int, now_seconds: float) -> None:
        """Take note of a fetch and what it brought."""
        elapsed_seconds = max(now_seconds - self._fetched_seconds, 1e-4)
        kept = math.exp(-elapsed_seconds / _MEMORY_SECONDS)
        self._records_per_second = kept * self._records_per_second + (1.0 - kept) * records / elapsed_seconds
        self._fetched_seconds = now_seconds
        self._behind = records >= BEHIND_RECORDS

    @property
    def period_seconds(self) -> float:
        """How far the next fetch should be from the last one; 0 while reading is behind."""
        if self._behind:
            return 0.0
        return min(MOST_SECONDS, max(LEAST_SECONDS, RECORDS_WANTED / max(self._records_per_second, 1.0)))

    def wait_seconds(self, now_seconds: float) -> float:
        """Return how long the next fetch should still wait; nothing where that time has passed."""
        return max(0.0, self._fetched_seconds + self.period_seconds - now_seconds)
