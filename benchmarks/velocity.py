"""What velocity-v1 costs an event on a real Apache Kafka, with a checkpoint every second.

In each round, on a broker of its own, the reference loop, riskstream and, unless the look is a quick one, the idiomatic
Faust agent read the same topic to its end, one after another, each in a process of its own on one core.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kafka"))

from apache_kafka import apache_kafka
from benchmarks.contenders import ALERTS, CHANGELOG, PARTITIONS, REFERENCE_ALERTS, TOPIC
from benchmarks.effort import Effort
from benchmarks.figure import Figure, Target, ratios
from benchmarks.velocity_job import transactions
from stream.outbox import Outbox
from stream.publisher import publish
from stream.topics import Topic, create_topics

TARGETS = {
    "CPU": Target("at most", 4.0),
    "ratio to the reference loop": Target("at most", 1.6),
    "scored, one core": Target("at least", 250_000.0),
}
"""What riskstream is held to."""

FAUST_EVENTS = 10_000
note = Console(stderr=True).print


@dataclass(frozen=True, slots=True)
class Cost:
    """What a contender spent: CPU microseconds an event, and how many events passed in a second of the clock."""

    cpu_microseconds: float
    events_per_second: float


def figures(effort: Effort) -> list[Figure]:
    """Return CPU an event, the ratio to the reference loop, and events a second, of each contender."""
    events = 200_000 if effort.quick else 1_000_000
    counts = {"reference_loop": events, "riskstream": events}
    if not effort.quick:
        counts["idiomatic_faust"] = FAUST_EVENTS
    rounds = [measure(counts, events) for _ in range(effort.rounds)]
    references = [one["reference_loop"].cpu_microseconds for one in rounds]
    found = []
    for name in counts:
        costs = [one[name].cpu_microseconds for one in rounds]
        quantities = [
            ("CPU", "us/event", tuple(costs)),
            ("ratio to the reference loop", "x", ratios(costs, references)),
            # What one core would do if broker and sender were elsewhere.
            ("scored, one core", "events/s", tuple(1e6 / cost for cost in costs)),
            ("scored, broker beside it", "events/s", tuple(one[name].events_per_second for one in rounds)),
        ]
        for quantity, unit, values in quantities:
            target = TARGETS.get(quantity) if name == "riskstream" else None
            found.append(Figure("velocity", name.replace("_", " "), quantity, unit, values, target))
    return found


def measure(counts: dict[str, int], sent: int) -> dict[str, Cost]:
    """Send so many events to a new broker and let each contender read as many as its count."""
    with tempfile.TemporaryDirectory(prefix="velocity-") as directory, apache_kafka(Path(directory)) as broker:
        asyncio.run(make_velocity_topics(broker.bootstrap))
        asyncio.run(send_transactions(broker.bootstrap, sent))
        return {name: _contend(name, broker.bootstrap, count) for name, count in counts.items()}


def _contend(name: str, broker: str, count: int) -> Cost:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.contenders", name, broker, str(count)],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise RuntimeError(f"{name} failed:\n{run.stderr[-3000:]}")
    spent = json.loads(run.stdout.splitlines()[-1])
    events = spent.get("events", count)
    return Cost(1e6 * spent["cpu_seconds"] / events, events / spent["wall_seconds"])


async def make_velocity_topics(broker: str) -> None:
    """Make the topics of all contenders."""
    names = (TOPIC, ALERTS, REFERENCE_ALERTS, f"{ALERTS}-faust", f"{ALERTS}-dead")
    await create_topics(
        broker,
        (
            *(Topic(name, PARTITIONS, 1, {}) for name in names),
            Topic(CHANGELOG, PARTITIONS, 1, {"cleanup.policy": "compact"}),
        ),
    )


async def send_transactions(broker: str, count: int) -> None:
    """Send the first `count` transactions as a backlog."""
    outbox = Outbox(broker, client_id="velocity")
    await outbox.start()
    await publish(outbox, TOPIC, PARTITIONS, transactions(count, seed=1))
    await outbox.stop()
