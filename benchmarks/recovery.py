"""How long a restart takes to restore customers: `python -m benchmarks.recovery`.

Writes the state of a million customers, three payments each, to one partition of a changelog on a real Apache Kafka,
as checkpoints do, and then restores it as a restarted worker does: reads the changelog, then loads the rows. Prints
JSON, of each step: wall and CPU seconds of this process (median, least and greatest), rows a second, and the greatest
resident memory.
"""

import argparse
import asyncio
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kafka"))

from rich.console import Console

from apache_kafka import apache_kafka
from benchmarks.effort import Effort
from benchmarks.figure import Figure, Target, ratios
from benchmarks.in_process import reference_microseconds
from risk.chunk import Chunk
from risk.customer_fold import CustomerFold
from schemas.encoding import encode
from schemas.transaction import Transaction
from stream.changelog import Changelog, Cut, last_checkpoint
from stream.topics import Topic, create_topics

CHANGELOG = "recovery-changelog"
PAYMENTS_EACH = 3
START_NS = 1_767_225_600_000_000_000
ROWS_A_CHECKPOINT = 100_000
note = Console(stderr=True).print


def main() -> None:
    """Run the benchmark and print its figures as JSON."""
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--customers", type=int, default=1_000_000)
    parse.add_argument("--rounds", type=int, default=3)
    chosen = parse.parse_args()
    with tempfile.TemporaryDirectory(prefix="recovery-") as directory, apache_kafka(Path(directory)) as broker:
        asyncio.run(write_state(broker.bootstrap, chosen.customers))
        rounds = []
        for number in range(chosen.rounds):
            rounds.append(asyncio.run(restore(broker.bootstrap, chosen.customers)))
            note(f"round {number + 1}: {rounds[-1]}")
    figures: dict[str, object] = {"customers": chosen.customers, "rounds": chosen.rounds}
    for name in rounds[0]:
        values = [one[name] for one in rounds]
        figures[name] = {
            "median": round(statistics.median(values), 2),
            "least": round(min(values), 2),
            "greatest": round(max(values), 2),
        }
    print(json.dumps(figures, indent=2))


def figures(effort: Effort) -> list[Figure]:
    """Return how long customers take to be restored, and what a row costs beside an event of the reference loop."""
    customers = 200_000 if effort.quick else 1_000_000
    references, rounds = [], []
    with tempfile.TemporaryDirectory(prefix="recovery-") as directory, apache_kafka(Path(directory)) as broker:
        asyncio.run(write_state(broker.bootstrap, customers))
        for _ in range(effort.rounds):
            references.append(reference_microseconds())
            rounds.append(asyncio.run(restore(broker.bootstrap, customers)))
    costs = [1e6 * (one["read_cpu_seconds"] + one["load_cpu_seconds"]) / customers for one in rounds]
    seconds = tuple(one["seconds"] for one in rounds)
    target = Target("at most", 5.0) if customers == 1_000_000 else None
    case = f"{customers:,} customers"
    return [
        Figure("recovery", case, "until restored", "s", seconds, target),
        Figure("recovery", case, "CPU", "us/row", tuple(costs)),
        Figure("recovery", case, "ratio to the reference loop", "x", ratios(costs, references)),
    ]


def new_fold() -> CustomerFold:
    """Return an empty state."""
    return CustomerFold(0, partitions=4, currency="EUR")


async def write_state(bootstrap: str, customers: int) -> None:
    """Write the customers' rows, a checkpoint after every so many customers."""
    await create_topics(bootstrap, (Topic(CHANGELOG, 1, 1, {"cleanup.policy": "compact"}),))
    changelog = Changelog(bootstrap, transactional_id="recovery", topic=CHANGELOG, partition=0)
    await changelog.start([])
    fold, draw, offset = new_fold(), np.random.default_rng(1), 0
    for first in range(0, customers, ROWS_A_CHECKPOINT):
        names = [f"customer-{at:09d}" for at in range(first, min(first + ROWS_A_CHECKPOINT, customers))]
        for day in range(PAYMENTS_EACH):
            values = tuple(
                encode(
                    Transaction(
                        schema_version=1,
                        transaction_id=f"t{day}-{name}",
                        customer_id=name,
                        merchant_id="merchant",
                        amount=amount / 100,
                        currency="EUR",
                        event_time_ns=START_NS + day * 86_400_000_000_000,
                    )
                )
                for name, amount in zip(names, draw.integers(100, 20_000, len(names)).tolist(), strict=True)
            )
            offsets = tuple(range(offset, offset + len(names)))
            offset += len(names)
            fold.advance(Chunk.of("t", 0, offsets, tuple(name.encode() for name in names), values, caught_up=False))
        await changelog.write(fold.take_changed(), Cut(fold.state_version, fold.last_offset(), fold.cut(), {}))
    await changelog.stop()


async def restore(bootstrap: str, customers: int) -> dict[str, float]:
    """Restore the state as a worker does, and measure it."""
    began, cpu = time.perf_counter(), time.process_time()
    restored = await last_checkpoint(bootstrap, CHANGELOG, 0, CustomerFold.state_version, lambda count: None)
    read, read_cpu = time.perf_counter(), time.process_time()
    fold = new_fold()
    assert restored.cut is not None
    fold.restore(restored.cut.fold_cut, restored.rows)
    loaded, loaded_cpu = time.perf_counter(), time.process_time()
    assert len(fold) == customers
    return {
        "read_seconds": read - began,
        "read_cpu_seconds": read_cpu - cpu,
        "load_seconds": loaded - read,
        "load_cpu_seconds": loaded_cpu - read_cpu,
        "seconds": loaded - began,
        "rows_per_second": customers / (loaded - began),
        "peak_memory_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


if __name__ == "__main__":
    main()
