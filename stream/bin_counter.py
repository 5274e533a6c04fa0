"""A Prometheus counter of values by bin, raised for all its series at once.

With a sample for every bin of every feature, to raise each by itself would cost a chunk of a few events more than to
score it. Here a chunk is one addition of arrays, and samples are made when somebody asks for them.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class BinCounter(Collector):
    """A counter with the given labels, whose series are those of the last `show`; before it there are none.

    >>> registry = CollectorRegistry()
    >>> counter = BinCounter("scores", "Scores.", ("bin",), registry)
    >>> counter.show([("0",), ("1",)])
    >>> counter.add(np.array([3, 0]))
    >>> registry.get_sample_value("scores_total", {"bin": "0"}), registry.get_sample_value("scores_total", {"bin": "1"})
    (3, 0)
    """

    def __init__(self, name: str, documentation: str, labels: Sequence[str], registry: CollectorRegistry) -> None:
        self._name = name
        self._documentation = documentation
        self._labelnames = tuple(labels)
        self._type = "counter"
        self._series: list[tuple[str, ...]] = []
        self._counts = np.zeros(0, dtype=np.int64)
        registry.register(self)

    def show(self, series: Iterable[tuple[str, ...]]) -> None:
        """Begin to show a series for each tuple of label values, at zero."""
        self._series = list(series)
        self._counts = np.zeros(len(self._series), dtype=np.int64)

    def add(self, counts: NDArray[np.int64]) -> None:
        """Raise each series by its count, int64[number of series], in the order of `show`."""
        self._counts += counts

    def describe(self) -> list[CounterMetricFamily]:
        """Return the metric without its samples."""
        return [CounterMetricFamily(self._name, self._documentation, labels=self._labelnames)]

    def collect(self) -> list[CounterMetricFamily]:
        """Return the metric with a sample for each series."""
        (family,) = self.describe()
        for values, count in zip(self._series, self._counts.tolist(), strict=True):
            family.add_metric(values, count)
        return [family]
