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

import msgspec
import numpy as np

from benchmarks.velocity_job import alert_threshold, assemble, network
from risk.scorer import Scorer

TOPIC, ALERTS, CHANGELOG = "velocity", "velocity-alerts", "velocity-changelog"
PARTITIONS = 4


def bare_loop(broker: str, count: int) -> dict[str, float]:
    """Run the reference: consume, decode, fold and score by hand, with no durable state and no group."""
    from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
    from aiokafka import TopicPartition as KafkaPartition

    from risk.decayed_moments import DecayedMoments
    from risk.decode import decode_transactions

    scorer = Scorer(network())
    threshold = alert_threshold(scorer)

    async def run() -> dict[str, float]:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=broker, auto_offset_reset="earliest", max_partition_fetch_bytes=12 << 20
        )
        producer = AIOKafkaProducer(bootstrap_servers=broker, linger_ms=5)
        cpu = time.process_time()
        await consumer.start()
        await producer.start()
        consumer.assign([KafkaPartition(TOPIC, at) for at in range(PARTITIONS)])
        states = {at: DecayedMoments() for at in range(PARTITIONS)}
        done = 0
        wall = time.perf_counter()
        while done < count:
            for at, records in (await consumer.getmany(timeout_ms=500, max_records=4096)).items():
                columns, _ = decode_transactions(
                    [record.key for record in records], [record.value for record in records], "EUR"
                )
                moments = states[at.partition].advance(columns.customer_id, columns.event_time_ns, columns.amount)
                scores = scorer.score(assemble(moments, columns.amount, columns.event_time_ns))
                for row in np.flatnonzero(scores >= threshold).tolist():
                    value = {"event_id": columns.transaction_id[row], "score": float(scores[row])}
                    await producer.send(f"{ALERTS}-loop", msgspec.json.encode(value), partition=at.partition)
                done += len(records)
        await producer.flush()
        spent = {"wall_seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
        await consumer.stop()
        await producer.stop()
        return spent

    return asyncio.run(run())


def riskstream(broker: str, count: int, *, serve_seconds: float | None = None) -> dict[str, float]:
    """Run the job on riskstream's shell, checkpoints every second; with `serve_seconds`, serve that long instead."""
    from benchmarks.velocity_fold import VelocityFold
    from stream.broker_process import free_port
    from stream.job_spec import JobSpec
    from stream.jobs_app import create_jobs_app
    from stream.logs import configure_logs
    from stream.metrics import Metrics
    from stream.serving import serve
    from stream.settings import Settings

    configure_logs("warning")
    scorer = Scorer(network())
    threshold = alert_threshold(scorer)

    async def run() -> dict[str, float]:
        settings = Settings(broker=broker, application_id="velocity", partitions=PARTITIONS, web_port=free_port())
        spec = JobSpec(
            "velocity",
            TOPIC,
            CHANGELOG,
            {"alerts": ALERTS, "dead_letters": f"{ALERTS}-dead"},
            lambda partition: VelocityFold(partition, scorer, threshold),
        )
        metrics = Metrics(settings.symbol_label_limit)
        app = create_jobs_app(settings, (spec,), metrics)
        stop = asyncio.Event()
        cpu = time.process_time()
        serving = asyncio.create_task(serve(app, stop))
        scored = metrics.records_in.labels("velocity")._value
        while scored.get() == 0 and serve_seconds is None:
            await asyncio.sleep(0.001)
        wall = time.perf_counter()
        if serve_seconds is not None:
            print("ready", flush=True)
            await asyncio.sleep(serve_seconds)
        else:
            while scored.get() < count:
                await asyncio.sleep(0.005)
        wall_seconds = time.perf_counter() - wall
        stop.set()
        # The last checkpoint is part of the work.
        if not await serving:
            raise RuntimeError("the worker did not end well")
        return {"wall_seconds": wall_seconds, "cpu_seconds": time.process_time() - cpu, "events": scored.get()}

    return asyncio.run(run())


def idiomatic_faust(broker: str, count: int) -> dict[str, float]:
    """Run the job as Faust's guide would have it: a Record, a Table, one event at a time."""
    import faust
    from faust.types.streams import StreamT

    scorer = Scorer(network())
    threshold = alert_threshold(scorer)

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
    name, broker, count = sys.argv[1], sys.argv[2], int(float(sys.argv[3]))
    contenders = {"bare_loop": bare_loop, "riskstream": riskstream, "idiomatic_faust": idiomatic_faust}
    if name == "riskstream_serving":
        result = riskstream(broker, 0, serve_seconds=float(count))
    else:
        result = contenders[name](broker, count)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
