"""Read alerts in a consumer group: check each against its JSON Schema, print it, then commit.

    pip install -r examples/consumers/python/requirements.txt
    python examples/consumers/python/consume_alerts.py --broker 127.0.0.1:9092

A copy of this file and of the schema is all that a program of your own needs.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError
from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).parents[3] / "schemas" / "json" / "Alert.schema.json"


class Seen:
    """Remembers the last ids, since an alert can come again: memory is bounded, so what repeats much later is new."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, identity: str) -> bool:
        """Return whether the id is new; it is known from now on."""
        new = identity not in self._ids
        self._ids[identity] = None
        self._ids.move_to_end(identity)
        if len(self._ids) > self._limit:
            self._ids.popitem(last=False)
        return new


def handle(alert: dict[str, Any]) -> None:
    """Do with an alert what your program is for. Fields that you do not know may be there: leave them alone."""
    reasons = ",".join(reason["code"] for reason in alert["reasons"])
    print(alert["alert_id"], alert["entity_kind"], alert["severity"], alert["outcome"], reasons, flush=True)


def take(value: bytes | None, validator: Draft202012Validator, seen: Seen) -> None:
    """Handle what lies on the topic, if it is an alert that was not handled already."""
    try:
        alert = json.loads(value or b"")
    except ValueError as wrong:
        print(f"passed over: {wrong}", file=sys.stderr)
        return
    for error in validator.iter_errors(alert):
        print(f"passed over: {error.json_path}: {error.message}", file=sys.stderr)
        return
    if seen.add(alert["alert_id"]):
        handle(alert)


async def consume(options: argparse.Namespace) -> None:
    """Read until SIGTERM or SIGINT."""
    validator = Draft202012Validator(json.loads(options.schema.read_text()))
    seen = Seen(options.remember)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    consumer = AIOKafkaConsumer(
        options.topic,
        bootstrap_servers=options.broker,
        group_id=options.group,
        # Committed by hand below: an alert counts as read only once it is handled.
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with consumer:
        while not stop.is_set():
            batches = await consumer.getmany(timeout_ms=500, max_records=500)
            for records in batches.values():
                for record in records:
                    take(record.value, validator, seen)
            if batches:
                try:
                    await consumer.commit()
                except CommitFailedError:
                    # The group was rebalanced meanwhile: another member reads these alerts again.
                    print("not committed: the group was rebalanced", file=sys.stderr)


def main() -> None:
    """Read the options and consume."""
    parser = argparse.ArgumentParser(description="Print the alerts of riskstream, one a line.")
    parser.add_argument("--broker", default="127.0.0.1:9092", help="Kafka, host:port")
    parser.add_argument("--topic", default="alerts", help="topic of alerts, with its prefix")
    parser.add_argument("--group", default="example-python", help="consumer group, your program's own")
    parser.add_argument("--schema", type=Path, default=SCHEMA, help="Alert.schema.json")
    parser.add_argument("--remember", type=int, default=100_000, help="ids by which repeats are known")
    asyncio.run(consume(parser.parse_args()))


if __name__ == "__main__":
    main()
