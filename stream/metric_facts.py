"""What a registry's metrics are, for documents: read from the collectors, without a worker or a broker."""

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry


@dataclass(frozen=True, slots=True)
class MetricFacts:
    """A metric as it is queried: `name` ends in _total for a counter; `type` is counter, gauge or histogram."""

    name: str
    type: str
    labels: tuple[str, ...]
    help: str


def metric_facts(registry: CollectorRegistry) -> Iterator[MetricFacts]:
    """Yield the metrics of a registry, in the order in which they were made.

    >>> from prometheus_client import Counter
    >>> made = Counter("riskstream_records_total", "Records.", ("topic",), registry=(registry := CollectorRegistry()))
    >>> list(metric_facts(registry))
    [MetricFacts(name='riskstream_records_total', type='counter', labels=('topic',), help='Records.')]
    """
    # The library tells the labels of a metric that has no sample yet nowhere else.
    for collector in registry._collector_to_names:
        (family,) = collector.describe()  # type: ignore[attr-defined]  # every collector here has it
        name = family.name + ("_total" if family.type == "counter" else "")
        yield MetricFacts(name, family.type, tuple(collector._labelnames), family.documentation)  # type: ignore[attr-defined]
