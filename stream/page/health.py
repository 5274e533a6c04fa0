"""How all is: the lag, the workers, the page itself, and the last minutes of them."""

import asyncio
import time
from collections import deque
from typing import Any

import msgspec

from stream.page.feed import Feed
from stream.page.lag_watch import LagWatch
from stream.page.topic_tails import TopicTails
from stream.page.worker_watch import WorkerWatch

INTERVAL_SECONDS = 2.0
MOST_SAMPLES = 450


class Sample(msgspec.Struct, frozen=True, gc=False):
    """A moment; None is what was not known then."""

    at_ms: int
    scored_per_second: float | None
    alerts_per_second: float | None
    p50_ms: float | None
    p99_ms: float | None
    lag_records: int | None


class Health:
    """Joins what the watches know, and remembers a quarter of an hour of it."""

    def __init__(self, feed: Feed, tails: TopicTails, lag: LagWatch, workers: WorkerWatch) -> None:
        self._feed = feed
        self._tails = tails
        self._lag = lag
        self._workers = workers
        self._samples: deque[Sample] = deque(maxlen=MOST_SAMPLES)
        self._began = time.monotonic()

    @property
    def waits_for(self) -> str:
        """What the page cannot do without and has not got: empty when all is there."""
        if self._lag.asked and not self._lag.broker_answers:
            return "the broker"
        return self._tails.waits_for

    async def follow(self) -> None:
        """Remember how all is, over and over, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL_SECONDS)
            self._samples.append(self._sample())

    def state(self) -> dict[str, Any]:
        """Return all that is known now, for JSON."""
        workers = self._workers.state()
        return {
            "waits_for": self.waits_for,
            "broker_answers": self._lag.broker_answers,
            "lag": self._lag.topics,
            "workers": workers.workers,
            "jobs": workers.jobs,
            "scored_per_second": workers.scored_per_second,
            "alerts_per_second": workers.alerts_per_second,
            "samples": list(self._samples),
            "page": {
                "up_seconds": int(time.monotonic() - self._began),
                "readers": self._feed.log.clients,
                "events": self._feed.log.sequence,
                "dropped_events": self._feed.log.dropped,
                "alerts_kept": len(self._feed.alerts),
                "symbols_kept": len(self._feed.bars),
                "messages_skipped": dict(self._feed.skipped),
            },
        }

    def _sample(self) -> Sample:
        workers = self._workers.state()
        answers = any(not worker.problem for worker in workers.workers)
        busy = [job for job in workers.jobs if job.p99_ms is not None]
        # The slowest job is what a reader of alerts waits for.
        slowest = max(busy, key=lambda job: job.p99_ms or 0.0, default=None)
        return Sample(
            int(time.time() * 1000),
            workers.scored_per_second if answers else None,
            workers.alerts_per_second if answers else None,
            slowest.p50_ms if slowest else None,
            slowest.p99_ms if slowest else None,
            sum(topic.lag_records for topic in self._lag.topics) if self._lag.broker_answers else None,
        )
