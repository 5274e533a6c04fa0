"""The contenders, each run in a process of its own: `python -m benchmarks.contenders NAME BROKER COUNT`.

A contender reads the topic to its end and prints, as JSON, the CPU seconds of its process from connecting on (imports
and compiling excluded) and the wall seconds from its first record to its last.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.reference_loop import alert_threshold, consume
from benchmarks.velocity_fold import VelocityFold
from benchmarks.velocity_job import network
from risk.scorer import Scorer
from stream.broker_process import free_port
from stream.job_spec import JobSpec
from stream.jobs_app import JobsApp, create_jobs_app
from stream.logs import configure_logs
from stream.metrics import Metrics
from stream.serving import serve
from stream.settings import Settings

TOPIC, ALERTS, CHANGELOG = "velocity", "velocity-alerts", "velocity-changelog"
REFERENCE_ALERTS = f"{ALERTS}-loop"
PARTITIONS = 4


def reference_loop(broker: str, count: int) -> dict[str, float]:
    """Run the yardstick."""
    return consume(broker, TOPIC, REFERENCE_ALERTS, PARTITIONS, count)


def riskstream(broker: str, count: int) -> dict[str, float]:
    """Run the job on riskstream's shell, with a checkpoint every second."""

    async def run() -> dict[str, float]:
        app = velocity_app(Settings(broker=broker, web_port=free_port()), alert_threshold(0.01))
        stop = asyncio.Event()
        cpu = time.process_time()
        serving = asyncio.create_task(serve(app, stop))
        scored = app.metrics.records_in.labels("velocity")._value
        while scored.get() == 0:
            await asyncio.sleep(0.001)
        wall = time.perf_counter()
        while scored.get() < count:
            await asyncio.sleep(0.005)
        wall_seconds = time.perf_counter() - wall
        stop.set()
        # The last checkpoint is part of the work.
        if not await serving:
            raise RuntimeError("the worker did not end well")
        return {"wall_seconds": wall_seconds, "cpu_seconds": time.process_time() - cpu, "events": scored.get()}

    return asyncio.run(run())


def serve_velocity(alert_fraction: float) -> None:
    """Serve the job until the process is ended, with the settings in the environment."""

    async def run() -> None:
        await serve(velocity_app(Settings(), alert_threshold(alert_fraction)), asyncio.Event())

    asyncio.run(run())


def velocity_app(settings: Settings, threshold: float) -> JobsApp:
    """Return a worker's app that runs velocity-v1."""
    configure_logs("warning")
    scorer = Scorer(network())
    settings = settings.model_copy(update={"application_id": "velocity", "partitions": PARTITIONS})
    spec = JobSpec(
        "velocity",
        TOPIC,
        CHANGELOG,
        {"alerts": ALERTS, "dead_letters": f"{ALERTS}-dead"},
        lambda partition: VelocityFold(partition, scorer, threshold),
    )
    return create_jobs_app(settings, (spec,), Metrics(settings.symbol_label_limit))


def idiomatic_faust(broker: str, count: int) -> dict[str, float]:
    """Run the job as Faust's guide would have it: a Record, a Table, one event at a time."""
    import faust
    from faust.types.streams import StreamT

    scorer = Scorer(network())
    threshold = alert_threshold(0.01)

    class Payment(faust.Record, serializer="json"):
        transaction_id: str
        customer_id: str
        merchant_id: str
        amount: float
        currency: str
        event_time_ns: int

    app = faust.App(
        "velocity-faust",
        broker=f"kafka://{broker}",
        store="memory://",
        datadir=str(Path(tempfile.gettempdir()) / "velocity-faust"),
        topic_partitions=PARTITIONS,
        web_enabled=False,
    )
    topic = app.topic(TOPIC, value_type=Payment)
    alerts = app.topic(f"{ALERTS}-faust", value_serializer="json")
    profiles = app.Table("profiles", partitions=PARTITIONS)
    finished = asyncio.Event()
    spent: dict[str, float] = {}
    done = 0
    day_ns = 86_400_000_000_000

    async def score(payments: StreamT[Payment]) -> None:
        nonlocal done
        async for payment in payments:
            if done == 0:
                spent["wall"], spent["cpu"] = time.perf_counter(), time.process_time()
            row = profiles.get(payment.customer_id) or [payment.event_time_ns] + [0.0] * 9
            elapsed_days = max(0, payment.event_time_ns - row[0]) / day_ns
            features = []
            for at, window_days in enumerate((1, 7, 30)):
                decay = np.exp(-elapsed_days / window_days)
                count_, total, squares = (value * decay for value in row[1 + 3 * at : 4 + 3 * at])
                mean = total / count_ if count_ else 0.0
                variance = max(0.0, squares / count_ - mean * mean) if count_ else 0.0
                z = (payment.amount - mean) / np.sqrt(variance) if variance > 0 else 0.0
                features += [count_, mean, z]
                row[1 + 3 * at : 4 + 3 * at] = [
                    float(count_ + 1),
                    float(total + payment.amount),
                    float(squares + payment.amount**2),
                ]
            row[0] = max(row[0], payment.event_time_ns)
            profiles[payment.customer_id] = row
            features += [payment.amount, payment.event_time_ns % day_ns / day_ns]
            value = float(scorer.score(np.array([features]))[0])
            if value >= threshold:
                await alerts.send(value={"event_id": payment.transaction_id, "score": value})
            done += 1
            if done == count:
                spent["wall_seconds"] = time.perf_counter() - spent.pop("wall")
                spent["cpu_seconds"] = time.process_time() - spent.pop("cpu")
                finished.set()

    app.agent(topic)(score)

    async def run() -> None:
        starting = asyncio.ensure_future(app.start())
        await finished.wait()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await app.stop()

    asyncio.run(run())
    return spent


def main() -> None:
    """Run the contender named on the command line and print its figures."""
    name, broker, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    contenders = {"reference_loop": reference_loop, "riskstream": riskstream, "idiomatic_faust": idiomatic_faust}
    print(json.dumps(contenders[name](broker, count)))


if __name__ == "__main__":
    main()
