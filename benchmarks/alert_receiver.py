"""Receives alerts and notes when: `python -m benchmarks.alert_receiver BROKER TOPIC PARTITIONS FILE`.

It says when it reads, goes on until its standard input ends, and only then looks into what came, so that this costs the
machine nothing while it is measured.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition


async def receive(broker: str, topic: str, partitions: int) -> dict[str, int]:
    """Return the event that each alert is on, and when it came, in nanoseconds of the monotonic clock."""
    consumer = AIOKafkaConsumer(bootstrap_servers=broker, auto_offset_reset="latest", fetch_max_wait_ms=100)
    await consumer.start()
    at = [KafkaPartition(topic, number) for number in range(partitions)]
    consumer.assign(at)
    for one, end in (await consumer.end_offsets(at)).items():
        consumer.seek(one, end)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ended.set)
    print("ready", flush=True)
    came: list[tuple[int, bytes]] = []
    while not ended.is_set():
        found = await consumer.getmany(timeout_ms=200)
        now_ns = time.monotonic_ns()
        came += [(now_ns, record.value) for records in found.values() for record in records]
    await consumer.stop()
    return {_identity(json.loads(value)): arrived_ns for arrived_ns, value in came}


def _identity(message: dict[str, str]) -> str:
    """Return the event that an alert is on, or that a transaction is."""
    return message.get("event_id") or message["transaction_id"]


def main() -> None:
    """Receive from a topic of a broker, and write what came to a file."""
    broker, topic, partitions, target = sys.argv[1:]
    arrived = asyncio.run(receive(broker, topic, int(partitions)))
    Path(target).write_bytes(msgspec.msgpack.encode(arrived))


if __name__ == "__main__":
    main()
