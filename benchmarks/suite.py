"""The benchmarks in their order, each with its name and the function that measures it."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import batch_sizes, hot_key, latency, memory, pipeline, recovery, stages, ticks, velocity, wakes
from benchmarks.effort import Effort
from benchmarks.figure import Figure


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: what `--only` calls it, and what gives its figures."""

    name: str
    figures: Callable[[Effort], list[Figure]]


SUITE = (
    Benchmark("velocity", velocity.figures),
    Benchmark("pipeline", pipeline.figures),
    Benchmark("ticks", ticks.figures),
    Benchmark("latency", latency.figures),
    Benchmark("recovery", recovery.figures),
    Benchmark("memory", memory.figures),
    Benchmark("hot_key", hot_key.figures),
    Benchmark("batch_sizes", batch_sizes.figures),
    Benchmark("wakes", wakes.figures),
    Benchmark("stages", stages.figures),
)


def chosen(names: str) -> tuple[Benchmark, ...]:
    """Return the benchmarks with these names, which commas part, in the order of the suite; all for no name.

    Raises ValueError for a name that none has.
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = sorted(set(wanted) - {one.name for one in SUITE})
    if unknown:
        raise ValueError(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(one.name for one in SUITE)}")
    return tuple(one for one in SUITE if not wanted or one.name in wanted)
