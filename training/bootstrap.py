"""Bootstrap intervals: how far a measure could be off, had other customers come.

Rows of one customer are not independent, so customers are drawn, each with all of its rows (Field and Welsh 2007, the
cluster bootstrap); an interval from rows drawn singly would be too narrow. Bounds are percentiles of the replicates
(Efron and Tibshirani 1993, chapter 13).
"""

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

REPLICATES = 200
LEVEL = 0.95


class Interval(msgspec.Struct, frozen=True):
    """A measure on the rows as they are, and the bounds that hold the true one in 95 of 100 samples."""

    estimate: float
    low: float
    high: float


def bootstrap_intervals(
    measure: Callable[[npt.NDArray[np.float64]], dict[str, float]],
    entities: int,
    *,
    seed: int,
    replicates: int = REPLICATES,
    on_replicate: Callable[[], None] = lambda: None,
) -> dict[str, Interval]:
    """Return the interval of each measure, by name.

    `measure` is given how often each of the entities was drawn, float64[entities], and returns its measures of the
    rows that weigh so; it is called with ones first. A measure that is undefined (NaN) for the rows as they are, or for
    every replicate, is left out; single replicates for which it is undefined are passed over.

    >>> heights = np.array([1.6, 1.7, 1.8, 1.9])
    >>> found = bootstrap_intervals(lambda drawn: {"mean": float(heights @ drawn / drawn.sum())}, 4, seed=1)["mean"]
    >>> round(found.estimate, 3), found.low < 1.75 < found.high
    (1.75, True)
    """
    estimates = measure(np.ones(entities))
    random = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {name: [] for name in estimates}
    for _ in range(replicates):
        counts = np.bincount(random.integers(entities, size=entities), minlength=entities)
        for name, value in measure(counts.astype(np.float64)).items():
            drawn[name].append(value)
        on_replicate()
    tail = (1.0 - LEVEL) / 2.0
    intervals = {}
    for name, estimate in estimates.items():
        values = np.array(drawn[name])
        values = values[np.isfinite(values)]
        if np.isfinite(estimate) and len(values):
            low, high = np.quantile(values, [tail, 1.0 - tail]).tolist()
            intervals[name] = Interval(estimate, low, high)
    return intervals
