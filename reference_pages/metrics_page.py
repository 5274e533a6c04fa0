"""The page of metrics, made from the collectors of a worker and of the monitor."""

from prometheus_client import CollectorRegistry

from reference_pages.markdown import code, page, table
from stream.metric_facts import metric_facts
from stream.metrics import Metrics
from stream.monitor.monitor_metrics import MonitorMetrics


def metrics_page() -> str:
    """Return the page."""
    return page(
        "Metrics",
        "What Prometheus reads of a worker and of the monitor. Units are base units, and no label names a customer or "
        "a merchant. A histogram has the series `_bucket`, `_sum` and `_count`.",
        "## Of a worker",
        "On `/metrics` of `RISKSTREAM_WEB_PORT`, 6066. `job` is a job of the worker, such as `customers`, `merchants` "
        "or `ticks`; Prometheus keeps a label of that name for itself, so the rules that riskstream brings call it "
        "`risk_job`.",
        _metrics(Metrics(symbol_label_limit=1).registry),
        "## Of the monitor",
        "On `/metrics` of `RISKSTREAM_MONITOR_PORT`, 6067. The window is the last `RISKSTREAM_MONITOR_WINDOW_DAYS` of "
        "event time.",
        _metrics(MonitorMetrics().registry),
    )


def _metrics(registry: CollectorRegistry) -> str:
    rows = [
        [code(one.name), one.type, ", ".join(code(label) for label in one.labels), one.help]
        for one in metric_facts(registry)
    ]
    return table(["metric", "type", "labels", "meaning"], rows)
