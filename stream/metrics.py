"""What the operator sees: one set of Prometheus collectors for a worker.

Base units and suffixes follow the Prometheus naming conventions. Counters are raised once per chunk, never per event,
and no label carries a customer's or a merchant's name.
"""

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from risk.drift_bins import MISSING
from risk.fold import SymbolFigures
from risk.reference import BINS, BinShares, Reference
from risk.rejection import RejectionReason
from stream.bin_counter import BinCounter

STAGE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
LATENCY_BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)
SIZE_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)


class Metrics:
    """The collectors of one worker, on a registry of their own."""

    def __init__(self, symbol_label_limit: int) -> None:
        registry = self.registry = CollectorRegistry()
        self.symbol_label_limit = symbol_label_limit
        self._symbols: set[str] = set()
        self.records_in = Counter(
            "riskstream_records_consumed_total", "Source records taken up.", ("job",), registry=registry
        )
        self.events = Counter(
            "riskstream_events_total",
            "Events by what became of them (scored, forwarded, alerted, late, approved, declined, ...).",
            ("job", "event"),
            registry=registry,
        )
        self.rejected = Counter(
            "riskstream_records_rejected_total",
            "Records put to the dead-letter topic.",
            ("job", "reason"),
            registry=registry,
        )
        self.failures = Counter(
            "riskstream_processing_failures_total",
            "Messages that the engine raised on and put aside: each is a fault of the engine.",
            ("job",),
            registry=registry,
        )
        self.outputs = Counter(
            "riskstream_records_published_total", "Records published.", ("job", "stream"), registry=registry
        )
        self.suppressed = Counter(
            "riskstream_records_suppressed_total",
            "Outputs not written again after a restart because the topic held them.",
            ("job",),
            registry=registry,
        )
        self.stage_seconds = Histogram(
            "riskstream_stage_duration_seconds",
            "Wall time of a stage, one observation a chunk or checkpoint.",
            ("job", "stage"),
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self.latency_seconds = Histogram(
            "riskstream_end_to_end_latency_seconds",
            "From the source record's timestamp to its outputs being handed to the broker, one observation a chunk.",
            ("job",),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.chunk_records = Histogram(
            "riskstream_chunk_records",
            "Records in a chunk.",
            ("job",),
            buckets=SIZE_BUCKETS,
            registry=registry,
        )
        self.lag = Gauge(
            "riskstream_consumer_lag_records",
            "Records in the partition that are not read yet.",
            ("topic", "partition"),
            registry=registry,
        )
        self.checkpoint_time = Gauge(
            "riskstream_last_checkpoint_timestamp_seconds",
            "Unix time of the last durable checkpoint; its age is time() minus this.",
            ("job", "partition"),
            registry=registry,
        )
        self.checkpoint_seconds = Histogram(
            "riskstream_checkpoint_duration_seconds",
            "From the copy of the changed rows to the transaction's commit.",
            ("job",),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.checkpoint_rows = Counter(
            "riskstream_checkpoint_rows_total", "Rows written to changelogs.", ("job",), registry=registry
        )
        self.restored_rows = Counter(
            "riskstream_restored_rows_total", "Rows read back from changelogs.", ("job",), registry=registry
        )
        self.restoring_records = Gauge(
            "riskstream_restoring_records",
            "Changelog records that a restore under way has read; 0 when none is.",
            ("job", "partition"),
            registry=registry,
        )
        self.restore_seconds = Histogram(
            "riskstream_restore_duration_seconds",
            "From the assignment of a partition to its state being ready.",
            ("job",),
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.state_rows = Gauge(
            "riskstream_state_rows", "Rows held in memory.", ("job", "partition"), registry=registry
        )
        self.outbox_records = Gauge(
            "riskstream_outbox_records",
            "Records handed to the outbox and not acknowledged yet.",
            registry=registry,
        )
        self.ready = Gauge(
            "riskstream_ready",
            "1 while the state of every partition assigned to the worker is restored, else 0, as /ready tells.",
            registry=registry,
        )
        self.bundle = Gauge(
            "riskstream_bundle_info",
            "1, labelled with a bundle that scores, and what: transactions, credit or market.",
            ("kind", "name", "version", "model"),
            registry=registry,
        )
        self.source_time = Gauge(
            "riskstream_source_timestamp_seconds",
            "Unix time at which the newest source record that was taken up was written; its age is time() minus this.",
            ("topic",),
            registry=registry,
        )
        self._newest_source_seconds: dict[str, float] = {}
        self.scores = BinCounter(
            "riskstream_scores", "Transactions scored, by the bin of their score, the lowest first.", ("bin",), registry
        )
        self.score_share = Gauge(
            "riskstream_score_reference_share",
            "Share of the scores in a bin when the bundle was tested, 0 to 1.",
            ("bin",),
            registry=registry,
        )
        self.feature_values = BinCounter(
            "riskstream_feature_values",
            "Transactions scored, by the bin of a feature's value before the normaliser.",
            ("feature", "bin"),
            registry,
        )
        self.feature_share = Gauge(
            "riskstream_feature_reference_share",
            "Share of a feature's values in a bin when the bundle was tested, 0 to 1.",
            ("feature", "bin"),
            registry=registry,
        )
        self._feature_bins: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self._score_bins: NDArray[np.intp] = np.empty(0, dtype=np.intp)
        self.volatility = Gauge(
            "riskstream_volatility_percent_annualised",
            "Annualised conditional volatility after the last closed bar.",
            ("symbol",),
            registry=registry,
        )
        self.value_at_risk = Gauge(
            "riskstream_value_at_risk_percent",
            "Loss of the next bar, in percent of the price, that is exceeded with a probability of 1 %.",
            ("symbol",),
            registry=registry,
        )
        self.exceedances = Gauge(
            "riskstream_value_at_risk_exceedances",
            "Bars among the last 250 that lost more than their 99 % value at risk.",
            ("symbol",),
            registry=registry,
        )
        self.back_test_bars = Gauge(
            "riskstream_value_at_risk_back_test_bars",
            "Bars that the exceedances are counted over, 250 once there are as many.",
            ("symbol",),
            registry=registry,
        )
        self.kupiec = Gauge(
            "riskstream_value_at_risk_kupiec_p",
            "Kupiec's p-value of the exceedances of the 99 % value at risk; small where they are too many or too few.",
            ("symbol",),
            registry=registry,
        )
        self.zone = Gauge(
            "riskstream_value_at_risk_zone",
            "Basel traffic light of the 99 % value at risk: 0 green, 1 yellow, 2 red.",
            ("symbol",),
            registry=registry,
        )
        self.mase = Gauge(
            "riskstream_forecast_mase",
            "Mean absolute scaled error of the one-bar forecasts; below 1 they beat the random walk.",
            ("symbol", "forecaster"),
            registry=registry,
        )
        self.symbols_unlabelled = Gauge(
            "riskstream_symbols_without_label",
            "Symbols left out of the metrics by symbol because of the label limit.",
            registry=registry,
        )
        self._unlabelled: set[str] = set()

    def show_job(self, job: str) -> None:
        """Show what may go wrong in a job at 0, before anything does: a rate sees no rise in a series that is new."""
        self.records_in.labels(job)
        self.failures.labels(job)
        for reason in get_args(RejectionReason):
            self.rejected.labels(job, reason)

    def show_symbol(self, symbol: str, figures: SymbolFigures) -> None:
        """Show a symbol's figures, for as many symbols as the limit permits; the others are counted."""
        if symbol not in self._symbols:
            if len(self._symbols) >= self.symbol_label_limit:
                if len(self._unlabelled) < 100 * self.symbol_label_limit:
                    self._unlabelled.add(symbol)
                self.symbols_unlabelled.set(len(self._unlabelled))
                return
            self._symbols.add(symbol)
        self.volatility.labels(symbol).set(figures.annualised_volatility_percent)
        self.value_at_risk.labels(symbol).set(figures.value_at_risk_99_percent)
        self.exceedances.labels(symbol).set(figures.exceedances_99)
        self.back_test_bars.labels(symbol).set(figures.back_test_bars)
        self.kupiec.labels(symbol).set(figures.kupiec_99_p)
        self.zone.labels(symbol).set(figures.zone_99)
        for forecaster, mase in figures.mase.items():
            self.mase.labels(symbol, forecaster).set(mase)

    def show_reference(self, reference: Reference, features: Sequence[str]) -> None:
        """Show what scores and features are watched against, and every bin's count from zero on.

        A feature has its bins, and "missing"; a score is never missing.
        """
        for at, share in enumerate(reference.scores.shares):
            self.score_share.labels(str(at)).set(share)
        self._score_bins = np.arange(len(reference.scores.shares))
        self.scores.show((str(at),) for at in self._score_bins.tolist())
        series, places = [], []
        for row, name in enumerate(features, start=1):
            for column, (label, share) in _bins(reference.features[name]).items():
                self.feature_share.labels(name, label).set(share)
                series.append((name, label))
                places.append(row * (BINS + 1) + column)
        self.feature_values.show(series)
        self._feature_bins = np.array(places, dtype=np.intp)

    def add_bin_counts(self, counts: NDArray[np.int64]) -> None:
        """Raise the counts by bin by those of a chunk, int64[1 + features, BINS + 1]; `show_reference` comes first."""
        every = counts.ravel()
        self.scores.add(every[self._score_bins])
        self.feature_values.add(every[self._feature_bins])

    def show_source_time(self, topic: str, timestamp_seconds: float) -> None:
        """Show when a source record was written, if none of its topic was written later."""
        if timestamp_seconds > self._newest_source_seconds.get(topic, 0.0):
            self._newest_source_seconds[topic] = timestamp_seconds
            self.source_time.labels(topic).set(timestamp_seconds)

    def show_lag(self, lag_records: Mapping[tuple[str, int], int]) -> None:
        """Show the lag of each (topic, partition) that is read here, and no longer that of others."""
        self.lag.clear()
        for (topic, partition), records in lag_records.items():
            self.lag.labels(topic, str(partition)).set(records)

    def forget_partition(self, job: str, partition: int) -> None:
        """Drop what was shown of a partition that another worker owns now."""
        for gauge in (self.checkpoint_time, self.state_rows, self.restoring_records):
            labels = (job, str(partition))
            if labels in gauge._metrics:
                gauge.remove(*labels)


def _bins(shares: BinShares) -> dict[int, tuple[str, float]]:
    """Return the label and the share of each bin that a feature has, by its column in the counts."""
    bins = {at: (str(at), share) for at, share in enumerate(shares.shares)}
    return bins | {MISSING: ("missing", shares.missing)}
