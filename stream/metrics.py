"""What the operator sees: one set of Prometheus collectors for a worker.

Base units and suffixes follow the Prometheus naming conventions. Counters are raised once per chunk, never per event,
and no label carries a customer's or a merchant's name.
"""

from collections.abc import Mapping
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from risk.fold import SymbolFigures
from risk.rejection import RejectionReason

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
            "1, labelled with a bundle that scores.",
            ("name", "version", "model"),
            registry=registry,
        )
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
