"""What the monitor shows: one set of Prometheus collectors.

No label carries a customer's or a merchant's name. Reason codes come from messages, so how many of them are shown is
bounded.
"""

import re
from collections.abc import Iterable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

from risk.live_performance import CALIBRATION_BINS, CalibrationSource, LivePerformance
from schemas.alert import Alert
from schemas.entity_kind import EntityKind
from schemas.severity import Severity
from stream.group_lag import GroupLag

ENTITY_KINDS = get_args(EntityKind)
OUTCOMES = ("review", "decline")
SEVERITIES = get_args(Severity)

CODE_LIMIT = 500
"""Most reason codes with a series of their own; those beyond, and texts that are no code, count as "other"."""

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_NAN = float("nan")


class MonitorMetrics:
    """The collectors of a monitor, on a registry of their own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.alerts = Counter(
            "riskstream_alerts_total",
            "Alerts that came on the topic since the monitor started.",
            ("entity_kind", "outcome", "severity"),
            registry=registry,
        )
        self.reasons = Counter(
            "riskstream_alert_reasons_total",
            "Reasons given in the alerts that came since the monitor started, by code.",
            ("entity_kind", "code"),
            registry=registry,
        )
        self.group_lag = Gauge(
            "riskstream_group_lag_records",
            "Records of a partition that a consumer group has not committed yet.",
            ("group", "topic", "partition"),
            registry=registry,
        )
        self.group_lag_time = Gauge(
            "riskstream_group_lag_timestamp_seconds",
            "Unix time at which the lag of groups was last asked for with success; its age is time() minus this.",
            registry=registry,
        )
        self.labelled_alerts = Gauge(
            "riskstream_labelled_alerts",
            "Alerts on customers in the window whose transaction was labelled, by outcome and whether it was fraud.",
            ("outcome", "fraud"),
            registry=registry,
        )
        self.labelled_frauds = Gauge(
            "riskstream_labelled_frauds",
            "Transactions in the window that were labelled as fraud, by whether they had been alerted.",
            ("alerted",),
            registry=registry,
        )
        self.precision = Gauge(
            "riskstream_live_precision",
            "Fraction of the labelled alerts on customers in the window that were fraud; NaN while none is labelled.",
            registry=registry,
        )
        self.recall = Gauge(
            "riskstream_live_recall",
            "Fraction of the labelled frauds in the window that were alerted; NaN while there is none.",
            registry=registry,
        )
        self.calibration_transactions = Gauge(
            "riskstream_calibration_transactions",
            "Labelled transactions in the window, by the tenth that their score lies in.",
            ("bin",),
            registry=registry,
        )
        self.calibration_mean_score = Gauge(
            "riskstream_calibration_mean_score",
            "Mean score of the labelled transactions in a bin.",
            ("bin",),
            registry=registry,
        )
        self.calibration_fraud_fraction = Gauge(
            "riskstream_calibration_fraud_fraction",
            "Fraction of the labelled transactions in a bin that was fraud; where scores are calibrated, their mean.",
            ("bin",),
            registry=registry,
        )
        self.calibration_source = Gauge(
            "riskstream_calibration_source",
            "1, labelled with whose scores are calibrated: those of the topic of scores, or of alerts alone.",
            ("source",),
            registry=registry,
        )
        self.transactions = Gauge(
            "riskstream_monitor_transactions",
            "Transactions of the window that are held in memory.",
            registry=registry,
        )
        self.dropped = Counter(
            "riskstream_monitor_dropped_transactions_total",
            "Transactions of the window, the oldest, that were dropped for want of room since the monitor started.",
            registry=registry,
        )
        self.unread = Gauge(
            "riskstream_monitor_unread_records",
            "Records that lay on the topics when the monitor started and are yet to be read; until 0, no gauge over the"
            " window is told.",
            registry=registry,
        )
        self.unreadable = Counter(
            "riskstream_monitor_unreadable_records_total",
            "Records that are no message of their topic, or a label that a worker would refuse.",
            ("topic",),
            registry=registry,
        )
        self._dropped = 0
        self._codes: set[tuple[str, str]] = set()
        # From zero on, so that the first of its kind shows in a rate.
        for kind in ENTITY_KINDS:
            for outcome in OUTCOMES:
                for severity in SEVERITIES:
                    self.alerts.labels(kind, outcome, severity)
        for gauge in (self.precision, self.recall):
            gauge.set(_NAN)

    def count_alerts(self, alerts: Iterable[Alert]) -> None:
        """Count alerts and their reasons."""
        for alert in alerts:
            self.alerts.labels(alert.entity_kind, alert.outcome, alert.severity).inc()
            for reason in alert.reasons:
                self.reasons.labels(alert.entity_kind, self._code(alert.entity_kind, reason.code)).inc()

    def show_codes(self, alerts: Iterable[Alert]) -> None:
        """Show the reasons' codes of alerts of the past, at zero while none has come since."""
        for alert in alerts:
            for reason in alert.reasons:
                self.reasons.labels(alert.entity_kind, self._code(alert.entity_kind, reason.code))

    def _code(self, kind: str, code: str) -> str:
        if (kind, code) not in self._codes:
            if len(self._codes) >= CODE_LIMIT or not _CODE.fullmatch(code):
                return "other"
            self._codes.add((kind, code))
        return code

    def show_lags(self, lags: Iterable[GroupLag]) -> None:
        """Show the lags of groups, and no longer those of groups that are gone."""
        self.group_lag.clear()
        for one in lags:
            self.group_lag.labels(one.group, one.topic, str(one.partition)).set(one.records)
        self.group_lag_time.set_to_current_time()

    def show_performance(self, performance: LivePerformance, source: CalibrationSource) -> None:
        """Show how good the alerts in the window were, and how well the scores are calibrated."""
        for (outcome, fraud), count in performance.labelled_alerts.items():
            self.labelled_alerts.labels(outcome, _text(fraud)).set(count)
        for alerted, count in performance.labelled_frauds.items():
            self.labelled_frauds.labels(_text(alerted)).set(count)
        self.precision.set(performance.precision)
        self.recall.set(performance.recall)
        for at in range(CALIBRATION_BINS):
            found = performance.calibration[at]
            self.calibration_transactions.labels(str(at)).set(found.transactions)
            self.calibration_mean_score.labels(str(at)).set(found.mean_score)
            self.calibration_fraud_fraction.labels(str(at)).set(found.fraud_fraction)
        self.calibration_source.labels(source).set(1)
        self.transactions.set(len(performance))
        self.dropped.inc(performance.dropped - self._dropped)
        self._dropped = performance.dropped


def _text(flag: bool) -> str:
    return "true" if flag else "false"
