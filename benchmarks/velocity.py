"""What an event costs: `python -m benchmarks.velocity`, or `make bench`.

Runs velocity-v1 end to end on a real Apache Kafka on this machine: riskstream with a checkpoint every second, beside
the bare consume loop and the idiomatic Faust agent, in turn, several times over, because machines are noisy. Prints
JSON: CPU microseconds an event and events a second (median, least and greatest), the ratio to the bare loop of the same
round, and latencies at 2,000 events a second from the scheduled time of sending to the alert's arrival, so that a
stalled sender does not hide a wait.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kafka"))

from apache_kafka import apache_kafka
from benchmarks.contenders import ALERTS, CHANGELOG, PARTITIONS, TOPIC
from benchmarks.velocity_job import transactions
from stream.outbox import Outbox
from stream.publisher import publish
from stream.topics import Topic, create_topics

RATE_PER_SECOND = 2_000
LATENCY_SECONDS = 20
WARM_UP_SECONDS = 3.0
note = Console(stderr=True).print


def main() -> None:
    """Run the benchmark and print its figures as JSON."""
    parse = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parse.add_argument("--events", type=int, default=1_000_000, help="events for the quick contenders")
    parse.add_argument("--faust-events", type=int, default=15_000, help="events for the idiomatic agent")
    parse.add_argument("--rounds", type=int, default=3)
    chosen = parse.parse_args()
    rounds: list[dict[str, dict[str, float]]] = []
    for number in range(chosen.rounds):
        # A new broker each round: every contender starts with an empty group and an empty changelog.
        with (
            tempfile.TemporaryDirectory(prefix="velocity-") as directory,
            apache_kafka(Path(directory)) as broker,
        ):
            asyncio.run(_prepare(broker.bootstrap, chosen.events))
            figures = {}
            for name in ("bare_loop", "riskstream", "idiomatic_faust"):
                count = chosen.faust_events if name == "idiomatic_faust" else chosen.events
                figures[name] = _contend(name, broker.bootstrap, count)
                note(f"round {number + 1} {name}: {figures[name]}")
            rounds.append(figures)
            if number == chosen.rounds - 1:
                latency = asyncio.run(_latency(broker.bootstrap, chosen.events))
    print(json.dumps(_summary(rounds) | {"latency_at_2000_per_second": latency}, indent=2))


def _contend(name: str, broker: str, count: int) -> dict[str, float]:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.contenders", name, broker, str(count)],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        raise SystemExit(f"{name} failed:\n{run.stderr[-3000:]}")
    spent = json.loads(run.stdout.splitlines()[-1])
    events = spent.get("events", count)
    return {
        "cpu_microseconds_per_event": 1e6 * spent["cpu_seconds"] / events,
        "events_per_second": events / spent["wall_seconds"],
    }


def _summary(rounds: list[dict[str, dict[str, float]]]) -> dict[str, object]:
    summary: dict[str, object] = {"rounds": len(rounds)}
    for name in rounds[0]:
        summary[name] = {
            figure: _spread([one[name][figure] for one in rounds])
            for figure in ("cpu_microseconds_per_event", "events_per_second")
        } | {
            "cpu_ratio_to_bare_loop": _spread(
                [
                    one[name]["cpu_microseconds_per_event"] / one["bare_loop"]["cpu_microseconds_per_event"]
                    for one in rounds
                ]
            )
        }
    return summary


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "greatest": round(max(values), 3),
    }


async def _prepare(broker: str, count: int) -> None:
    names = (TOPIC, ALERTS, f"{ALERTS}-loop", f"{ALERTS}-faust", f"{ALERTS}-dead")
    await create_topics(
        broker,
        (
            *(Topic(name, PARTITIONS, 1, {}) for name in names),
            Topic(CHANGELOG, PARTITIONS, 1, {"cleanup.policy": "compact"}),
        ),
    )
    outbox = Outbox(broker, client_id="velocity")
    await outbox.start()
    await publish(outbox, TOPIC, PARTITIONS, transactions(count, seed=1))
    await outbox.stop()


async def _latency(broker: str, sent: int) -> dict[str, float]:
    """Serve riskstream on the same topic, caught up, and measure alerts from their scheduled time of sending."""
    from aiokafka import AIOKafkaConsumer

    seconds = WARM_UP_SECONDS + LATENCY_SECONDS
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.contenders",
        "riskstream_serving",
        broker,
        str(seconds + 25),
        stdout=asyncio.subprocess.PIPE,
    )
    assert worker.stdout is not None
    await worker.stdout.readline()
    await asyncio.sleep(8)
    consumer = AIOKafkaConsumer(ALERTS, bootstrap_servers=broker, auto_offset_reset="latest", fetch_max_wait_ms=50)
    await consumer.start()
    await consumer.seek_to_end()
    arrived: dict[str, float] = {}

    async def collect() -> None:
        async for record in consumer:
            arrived[json.loads(record.value)["event_id"]] = time.perf_counter()

    collecting = asyncio.create_task(collect())
    outbox = Outbox(broker, client_id="velocity")
    await outbox.start()
    messages = list(transactions(int(RATE_PER_SECOND * seconds), seed=2, after=sent))
    began = time.perf_counter()
    await publish(outbox, TOPIC, PARTITIONS, messages, rate_per_second=RATE_PER_SECOND)
    await asyncio.sleep(2)
    collecting.cancel()
    await asyncio.gather(collecting, return_exceptions=True)
    await consumer.stop()
    await outbox.stop()
    worker.kill()
    await worker.wait()
    waits = []
    for at in range(len(messages)):
        due = began + at / RATE_PER_SECOND
        received = arrived.get(f"t2-{at:09d}")
        if received is not None and at >= WARM_UP_SECONDS * RATE_PER_SECOND:
            waits.append(1000 * (received - due))
    if not waits:
        raise SystemExit("no alert arrived while the latency was measured")
    p50, p99, p999 = np.percentile(waits, [50, 99, 99.9])
    return {
        "alerts": len(waits),
        "p50_ms": round(float(p50), 1),
        "p99_ms": round(float(p99), 1),
        "p99.9_ms": round(float(p999), 1),
        "max_ms": round(max(waits), 1),
    }


if __name__ == "__main__":
    main()
