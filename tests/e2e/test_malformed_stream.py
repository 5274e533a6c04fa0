import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from live import make_topics, published, running_worker

from history_messages import transaction_messages
from risk.partitioner import partitions_of
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.score import Score
from schemas.transaction import Transaction
from stream.broker_process import BrokerProcess, free_port
from stream.settings import Settings
from tests.malformed import MEGABYTES_10, Malformed, malformed_transactions
from tests.small_bundle import small_bundle
from training.bundle_files import write_bundle
from training.simulator import simulate_transactions

MALFORMED = 10_000
FROM_THE_FUTURE = 100
Place = tuple[int, int]
"""Partition and offset."""


def test_every_malformed_message_is_a_dead_letter_and_every_good_one_is_scored(
    broker: BrokerProcess, tmp_path: Path
) -> None:
    """10,000 malformed and future messages: each a dead letter with reason and bytes, and good ones go on."""
    small = small_bundle()
    bundle = write_bundle(tmp_path, small.manifest, model=small.model, golden=small.golden)
    name = f"malformed-{uuid4().hex[:8]}"
    settings = Settings(
        broker=broker.bootstrap,
        application_id=name,
        topic_prefix=f"{name}.",
        bundle=bundle,
        publish_scores=True,
        web_port=free_port(),
    )
    make_topics(settings)
    began = time.time() - 1.0
    history = simulate_transactions(customers=300, merchants=50, days=30, seed=5)
    bad = malformed_transactions(MALFORMED - FROM_THE_FUTURE, seed=11) + from_the_future(FROM_THE_FUTURE)
    with running_worker(settings, tmp_path / "worker.log") as worker:
        sent = asyncio.run(send(settings, list(transaction_messages(history, "EUR")), bad))
        worker.wait_until(
            lambda: (
                worker.metric("riskstream_records_rejected_total", job="customers") >= MALFORMED
                and worker.metric("riskstream_events_total", job="merchants", event="scored") >= len(history)
            )
        )
        binned = [
            worker.metric("riskstream_scores_total"),
            worker.metric("riskstream_feature_values_total", feature="amount"),
            worker.metric("riskstream_feature_values_total", feature="merchant_fraud_run"),
        ]
        assert binned == [len(history)] * 3
        assert worker.metric("riskstream_feature_reference_share", feature="amount") == pytest.approx(1.0)
        assert worker.metric("riskstream_bundle_info", kind="transactions") == 1
        assert worker.metric("riskstream_source_timestamp_seconds", topic=settings.topic("transactions")) >= began
    letters = {
        (letter.source.partition, letter.source.offset): letter
        for letter in (
            msgspec.json.decode(record.value, type=DeadLetter) for record in published(settings, "deadletter")
        )
    }
    assert letters.keys() == sent.keys()
    assert len(published(settings, "deadletter")) == MALFORMED
    for place, message in sent.items():
        letter = letters[place]
        assert letter.payload == (message.value or b"")
        assert letter.key == message.key
        assert letter.reason in message.reasons
        assert letter.detail
        assert letter.source.topic == settings.topic("transactions")
    assert sum(len(letter.payload) > MEGABYTES_10 for letter in letters.values()) == 2
    assert len(Counter(letter.reason for letter in letters.values())) > 8
    scores = [msgspec.json.decode(record.value, type=Score).event_id for record in published(settings, "scores")]
    assert sorted(scores) == sorted(history.transaction_id)


def from_the_future(count: int) -> list[Malformed]:
    """Return transactions in order, but of a time that is long after any record's own."""
    return [
        Malformed(
            b"c-early",
            encode(
                Transaction(
                    schema_version=1,
                    transaction_id=f"early-{number}",
                    customer_id="c-early",
                    merchant_id="m1",
                    amount=1.0,
                    currency="EUR",
                    event_time_ns=4_000_000_000_000_000_000 + number,
                )
            ),
            frozenset(["event_time_in_future"]),
        )
        for number in range(count)
    ]


async def send(settings: Settings, good: list[tuple[str, bytes]], bad: list[Malformed]) -> dict[Place, Malformed]:
    """Send the good messages in their order and the bad ones anywhere between; return where the bad ones lie."""
    draw = random.Random(3)
    turns = [True] * len(good) + [False] * len(bad)
    draw.shuffle(turns)
    partitions = iter(partitions_of([key for key, _ in good], settings.partitions).tolist())
    goods, bads = iter(good), iter(bad)
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker, enable_idempotence=True, max_request_size=2 * MEGABYTES_10
    )
    await producer.start()
    waiting = []
    try:
        for is_good in turns:
            if is_good:
                key, value = next(goods)
                await producer.send(settings.topic("transactions"), value, key.encode(), partition=next(partitions))
            else:
                message = next(bads)
                place = draw.randrange(settings.partitions)
                waiting.append(
                    (
                        message,
                        await producer.send(
                            settings.topic("transactions"), message.value, message.key, partition=place
                        ),
                    )
                )
        await producer.flush()
        delivered = [(message, await future) for message, future in waiting]
        return {(metadata.partition, metadata.offset): message for message, metadata in delivered}
    finally:
        await producer.stop()
