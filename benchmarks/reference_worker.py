"""The yardstick as a worker that serves until it is ended: `python -m benchmarks.reference_worker ALERT_FRACTION`.

It has the metrics by which one sees that a worker is up and has worked everything off, and its settings are in the
environment, as any worker's.
"""

import asyncio
import sys

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from prometheus_client import Gauge, start_http_server

from benchmarks.contenders import PARTITIONS, REFERENCE_ALERTS, TOPIC
from benchmarks.reference_loop import ReferenceLoop, alert_threshold
from benchmarks.velocity_job import network
from stream.settings import Settings

LAG_SECONDS = 1.0


async def serve(settings: Settings, threshold: float) -> None:
    """Score the topic from its beginning on, each partition's records as they come."""
    lag = Gauge("riskstream_consumer_lag_records", "Records that are not scored yet.")
    Gauge("riskstream_outbox_records", "None: alerts are waited for.").set(0)
    at = [KafkaPartition(TOPIC, partition) for partition in range(PARTITIONS)]
    loops = {partition: ReferenceLoop(network()) for partition in range(PARTITIONS)}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker, auto_offset_reset="earliest", max_partition_fetch_bytes=12 << 20
    )
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
    await consumer.start()
    await producer.start()
    consumer.assign(at)

    async def show_lag() -> None:
        while True:
            ends = await consumer.end_offsets(at)
            lag.set(sum([ends[one] - await consumer.position(one) for one in at]))
            await asyncio.sleep(LAG_SECONDS)

    lag.set(1)
    start_http_server(settings.web_port, settings.web_host)
    showing = asyncio.create_task(show_lag())
    while not showing.done():
        for one, records in (await consumer.getmany(timeout_ms=500, max_records=4096)).items():
            payments, scores = loops[one.partition].advance([record.value for record in records])
            for row in np.flatnonzero(scores >= threshold).tolist():
                value = {"event_id": payments[row].transaction_id, "score": float(scores[row])}
                await producer.send(REFERENCE_ALERTS, msgspec.json.encode(value), partition=one.partition)
    await showing


if __name__ == "__main__":
    asyncio.run(serve(Settings(), alert_threshold(float(sys.argv[1]))))
