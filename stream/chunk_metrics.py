"""What a chunk shows: series are looked up when a job takes a partition up, and raised once per chunk."""

import time
from collections.abc import Mapping

from risk.chunk import Chunk
from risk.fold import Emitted
from stream.metrics import Metrics


class ChunkMetrics:
    """The series that each chunk of one partition of a job raises."""

    def __init__(self, metrics: Metrics, job: str, source_topic: str, partition: int) -> None:
        self._metrics = metrics
        self._job, self._source_topic = job, source_topic
        self._fold_seconds = metrics.stage_seconds.labels(job, "fold")
        self._publish_seconds = metrics.stage_seconds.labels(job, "publish")
        self._records_in = metrics.records_in.labels(job)
        self._chunk_records = metrics.chunk_records.labels(job)
        self._latency_seconds = metrics.latency_seconds.labels(job)
        self._partition = str(partition)

    def show(
        self, chunk: Chunk, emitted: Emitted, written: Mapping[str, int], fold_seconds: float, publish_seconds: float
    ) -> None:
        """Show what a chunk gave: `written` counts the outputs that were not there before, by stream."""
        job, metrics = self._job, self._metrics
        self._fold_seconds.observe(fold_seconds)
        self._publish_seconds.observe(publish_seconds)
        for event, count in emitted.counts.items():
            metrics.events.labels(job, event).inc(count)
        for reason, count in emitted.rejected.items():
            metrics.rejected.labels(job, reason).inc(count)
        for stream, count in written.items():
            metrics.outputs.labels(job, stream).inc(count)
        for symbol, figures in emitted.symbols.items():
            metrics.show_symbol(symbol, figures)
        if emitted.bin_counts is not None:
            metrics.add_bin_counts(emitted.bin_counts)
        if len(chunk):
            metrics.show_source_time(self._source_topic, chunk.timestamps_ms.max(initial=-1) / 1000.0)
            self._records_in.inc(len(chunk))
            self._chunk_records.observe(len(chunk))
            if chunk.timestamp_ms > 0:
                self._latency_seconds.observe(max(0.0, time.time() - chunk.timestamp_ms / 1000.0))

    def show_rows(self, count: int) -> None:
        """Show how many rows the state has."""
        self._metrics.state_rows.labels(self._job, self._partition).set(count)
