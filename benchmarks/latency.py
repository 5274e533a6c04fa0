"""How long it takes from a transaction that is due to its alert received, at 1,000 to 50,000 events a second.

Worker, sender, receiver and broker are processes of their own, on however many cores the machine has. The sender goes
by a schedule, and the clock of an event starts when it is due (`benchmarks.waits`). Both jobs are measured: velocity-v1
on riskstream's shell, with an alert on 2 events of 100 so that there are enough to take percentiles of, and the full
pipeline, through both hops, with the demonstration's bundle. The worker's CPU is counted at the same time. In each
round the reference loop serves velocity-v1 first, so that waits and CPU stand beside what it took.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from uuid import uuid4

import msgspec
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "kafka"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "e2e"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "faults"))

from crew import Crew, crew_at
from live import Worker, make_topics

from apache_kafka import apache_kafka
from benchmarks.contenders import ALERTS, PARTITIONS, REFERENCE_ALERTS, TOPIC
from benchmarks.effort import Effort
from benchmarks.figure import Figure, Target, ratios
from benchmarks.in_process import simulated_payments
from benchmarks.machine import load_average
from benchmarks.paced_sender import SLOT_NS, Sending, Sent
from benchmarks.processes import cpu_seconds
from benchmarks.scale import wait_for, worked_off
from benchmarks.velocity import make_velocity_topics
from benchmarks.velocity_job import transactions
from benchmarks.waits import percentiles, waits_ms
from stream.outbox import Outbox
from stream.publisher import publish
from stream.settings import Settings

ROOT = Path(__file__).parents[1]
Message = tuple[str, bytes]
RATES = (1_000, 2_000, 10_000, 50_000)
TARGETS = {
    (10_000, "p50"): Target("at most", 3.0),
    (10_000, "p99"): Target("at most", 10.0),
    (10_000, "p99.9"): Target("at most", 25.0),
    (2_000, "worker CPU, idle cost within"): Target("at most", 40.0),
}
COMPARED = ("p50", "p99", "worker CPU, idle cost within")
ALERT_FRACTION = 0.02
FILLING_EVENTS = 100_000
WARMING_RATE, WARMING_EVENTS = 1_000, 4_000
WARM_UP_SECONDS = 1.5
IDLE_SECONDS = 4.0
note = Console(stderr=True).print


@dataclass(frozen=True, slots=True)
class Job:
    """What serves and what it is sent: the program of its worker, its topics, and its stream of events."""

    name: str
    program: tuple[str, ...]
    source: str
    alerts: str


REFERENCE = Job("reference loop", ("-m", "benchmarks.reference_worker", str(ALERT_FRACTION)), TOPIC, REFERENCE_ALERTS)
VELOCITY = Job("velocity", ("-m", "benchmarks.velocity_worker", str(ALERT_FRACTION)), TOPIC, ALERTS)
PIPELINE = Job("full pipeline", ("-m", "riskstream", "run"), "transactions", "alerts")
STRAIGHT = Job("through the broker alone", VELOCITY.program, TOPIC, TOPIC)
"""The transactions themselves are received, past the worker: no engine on this machine could be quicker."""


def figures(effort: Effort) -> list[Figure]:
    """Return percentiles of the wait, and what the worker spends on an event, by job and rate, and their ratios."""
    seconds = dict.fromkeys(RATES, 3.0) if effort.quick else {1_000: 10.0, 2_000: 5.0, 10_000: 10.0, 50_000: 5.0}
    straight = {rate: seconds[rate] for rate in (2_000, 10_000)}
    jobs = {REFERENCE: seconds, VELOCITY: seconds, PIPELINE: seconds, STRAIGHT: straight}
    rounds = [{job: measure(job, lasting) for job, lasting in jobs.items()} for _ in range(effort.rounds)]
    found: list[Figure] = []
    for job, lasting in jobs.items():
        for rate in lasting:
            case = f"{job.name}, {rate:,}/s"
            for quantity in rounds[0][job][rate]:
                values = tuple(one[job][rate][quantity] for one in rounds)
                target = TARGETS.get((rate, quantity)) if job in (VELOCITY, PIPELINE) else None
                found.append(Figure("latency", case, quantity, _unit(quantity), values, target))
                if job in (VELOCITY, PIPELINE) and quantity in COMPARED:
                    ratio = ratios(values, [one[REFERENCE][rate][quantity] for one in rounds])
                    found.append(Figure("latency", case, f"{quantity}, ratio to the reference loop", "x", ratio))
    return found


def _unit(quantity: str) -> str:
    if quantity == "alerts":
        return "alerts"
    if "CPU" in quantity:
        return "us/event"
    return "processes" if quantity == "load average" else "ms"


def measure(job: Job, seconds: dict[int, float]) -> dict[int, dict[str, float]]:
    """Serve a job on a broker of its own, fill its state, and send at each rate for so long; return what was found."""
    counts = {rate: int(rate * (lasting + WARM_UP_SECONDS)) for rate, lasting in seconds.items()}
    stream = iter(_stream(job, FILLING_EVENTS + WARMING_EVENTS + sum(counts.values())))
    with (
        tempfile.TemporaryDirectory(prefix="latency-") as directory,
        apache_kafka(Path(directory)) as broker,
        crew_at(Path(directory) / "worker.log") as crew,
    ):
        settings = Settings(
            broker=broker.bootstrap,
            application_id=f"latency-{uuid4().hex[:8]}",
            bundle=ROOT / "bundles" / "demo",
            partitions=PARTITIONS,
        )
        worker = _started(job, settings, crew, list(islice(stream, FILLING_EVENTS)))
        idle, idle_since = cpu_seconds(worker.process.pid), time.perf_counter()
        time.sleep(IDLE_SECONDS)
        idle_rate = (cpu_seconds(worker.process.pid) - idle) / (time.perf_counter() - idle_since)
        # The broker compiles its code while it runs: what it does in its first seconds is not what is asked for.
        _at_rate(job, worker, WARMING_RATE, list(islice(stream, WARMING_EVENTS)), idle_rate, Path(directory))
        found = {}
        for rate, count in counts.items():
            messages = list(islice(stream, count))
            found[rate] = _at_rate(job, worker, rate, messages, idle_rate, Path(directory))
            note(f"{job.name} at {rate:,}/s: {found[rate]}")
        return found


def _stream(job: Job, count: int) -> Iterator[Message]:
    return iter(simulated_payments(count)) if job is PIPELINE else transactions(count, seed=2)


def _started(job: Job, settings: Settings, crew: Crew, filling: list[Message]) -> Worker:
    if job is PIPELINE:
        make_topics(settings)
    else:
        asyncio.run(make_velocity_topics(settings.broker))
    asyncio.run(_send(settings, job.source, filling))
    worker = crew.start(settings, job.program)
    wait_for([worker], Worker.ready)
    wait_for([worker], worked_off)
    return worker


async def _send(settings: Settings, topic: str, messages: list[Message]) -> None:
    outbox = Outbox(settings.broker, client_id="filling")
    await outbox.start()
    await publish(outbox, topic, settings.partitions, messages)
    await outbox.stop()


def _at_rate(
    job: Job, worker: Worker, rate: int, messages: list[Message], idle_rate: float, folder: Path
) -> dict[str, float]:
    source, sent_file, received_file = (folder / f"{rate}.{name}" for name in ("messages", "sent", "received"))
    named = [(key.encode(), value, _transaction_id(value)) for key, value in messages]
    source.write_bytes(msgspec.msgpack.encode(Sending(named, rate * SLOT_NS // 1_000_000_000)))
    broker, partitions = worker.settings.broker, str(worker.settings.partitions)
    receiver = _start("benchmarks.alert_receiver", broker, job.alerts, partitions, str(received_file))
    sender = _start("benchmarks.paced_sender", broker, job.source, partitions, str(source), str(sent_file))
    _go_on(receiver, until_ready=True)
    _go_on(sender, until_ready=True)
    assert sender.stdin is not None
    before, began = cpu_seconds(worker.process.pid), time.perf_counter()
    sender.stdin.write("go\n")
    sender.stdin.flush()
    _go_on(sender, until_ready=False)
    load = load_average()
    gross = cpu_seconds(worker.process.pid) - before
    elapsed = time.perf_counter() - began
    wait_for([worker], worked_off)
    assert receiver.stdin is not None
    receiver.stdin.close()
    _go_on(receiver, until_ready=False)
    schedule = msgspec.msgpack.decode(sent_file.read_bytes(), type=Sent).schedule()
    arrived_ns = msgspec.msgpack.decode(received_file.read_bytes(), type=dict[str, int])
    warm_up_ns = int(WARM_UP_SECONDS * 1e9)
    waits = waits_ms(schedule, arrived_ns, warm_up_ns)
    lateness = percentiles(schedule.lateness_ms(warm_up_ns))
    return percentiles(waits) | {
        "alerts": float(len(waits)),
        "worker CPU": 1e6 * (gross - idle_rate * elapsed) / len(messages),
        "worker CPU, idle cost within": 1e6 * gross / len(messages),
        "sender late, p99": lateness["p99"],
        "sender late, max": lateness["max"],
        "load average": load,
    }


class _Named(msgspec.Struct):
    transaction_id: str


_named = msgspec.json.Decoder(_Named)


def _transaction_id(value: bytes) -> str:
    return _named.decode(value).transaction_id


def _start(module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _go_on(process: subprocess.Popen[str], *, until_ready: bool) -> None:
    """Wait until a process says that it is ready, or has ended well."""
    assert process.stdout is not None
    if until_ready:
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{process.args!r} did not become ready")
    elif process.wait(300) != 0:
        raise RuntimeError(f"{process.args!r} failed")
