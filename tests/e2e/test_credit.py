import asyncio
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import msgspec
import pyarrow as pa
import pyarrow.parquet
from aiokafka import AIOKafkaProducer
from live import Worker, make_topics, published, run_verb, running_worker, start_worker

from risk.application_fold import ApplicationFold
from risk.chunk import Chunk
from schemas.dead_letter import DeadLetter
from schemas.decision import Decision
from stream.broker_process import BrokerProcess, free_port
from stream.bundle_files import read_table_bundle
from stream.outbox import Outbox
from stream.publisher import publish
from stream.settings import Settings
from tests.malformed import Malformed, malformed_applications
from tests.small_table_bundle import application_messages, small_loans, write_small_table_bundle
from training.scored_rows import ScoredRow

DEMO = Path(__file__).parents[2] / "bundles" / "demo"


def settings_for(broker: BrokerProcess, credit_bundle: Path) -> Settings:
    """Return settings with topics and a group of the test's own, which are made."""
    name = f"credit-{uuid4().hex[:8]}"
    settings = Settings(
        broker=broker.bootstrap,
        application_id=name,
        topic_prefix=f"{name}.",
        bundle=DEMO,
        credit_bundle=str(credit_bundle),
        checkpoint_interval_seconds=0.1,
        session_timeout_seconds=6.0,
        instance_id="only",
        web_port=free_port(),
    )
    make_topics(settings)
    return settings


async def send(settings: Settings, messages: Sequence[tuple[str, bytes]], rate: float | None = None) -> None:
    """Send applications, as their producer would."""
    outbox = Outbox(settings.broker, client_id="sender")
    await outbox.start()
    try:
        await publish(outbox, settings.topic("applications"), settings.partitions, messages, rate_per_second=rate)
    finally:
        await outbox.stop()


async def send_malformed(settings: Settings, records: Sequence[Malformed]) -> None:
    """Send records that no producer of ours would write."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, max_request_size=11 << 20)
    await producer.start()
    try:
        for at, one in enumerate(records):
            await producer.send(settings.topic("applications"), one.value, one.key, partition=at % settings.partitions)
        await producer.flush()
    finally:
        await producer.stop()


def decisions_of(settings: Settings) -> list[Decision]:
    """Return every decision that lies in the topic."""
    return [msgspec.json.decode(record.value, type=Decision) for record in published(settings, "decisions")]


def answered(worker: Worker) -> float:
    """Return how many applications a worker has decided on or refused."""
    decided = worker.metric("riskstream_events_total", job="applications")
    return decided + worker.metric("riskstream_records_rejected_total", job="applications")


def test_applications_in_decisions_out(broker: BrokerProcess, tmp_path: Path) -> None:
    """Each application gets one decision in its applicant's partition, each malformed one a dead letter."""
    settings = settings_for(broker, write_small_table_bundle(tmp_path, scorecard=False))
    good, bad = application_messages(800), malformed_applications(202, seed=4)
    with running_worker(settings, tmp_path / "worker.log") as worker:
        asyncio.run(send(settings, good))
        asyncio.run(send_malformed(settings, bad))
        worker.wait_until(lambda: answered(worker) >= len(good) + len(bad))
        outcomes = {
            name: worker.metric("riskstream_events_total", job="applications", event=name)
            for name in ("approved", "reviewed", "declined")
        }
        assert worker.metric("riskstream_bundle_info", kind="credit", model="gradient_boosting") == 1
    found = decisions_of(settings)
    assert sorted(one.application_id for one in found) == [f"a{at:05d}" for at in range(len(good))]
    counted = Counter(one.outcome for one in found)
    assert outcomes == {
        "approved": counted["approve"],
        "reviewed": counted["review"],
        "declined": counted["decline"],
    }
    for record in published(settings, "decisions"):
        one = msgspec.json.decode(record.value, type=Decision)
        assert (record.key, record.partition) == (one.applicant_id.encode(), one.source.partition)
    letters = [msgspec.json.decode(record.value, type=DeadLetter) for record in published(settings, "deadletter")]
    assert Counter((letter.key, letter.payload) for letter in letters) == Counter(
        (one.key, one.value or b"") for one in bad
    )
    assert {letter.source.topic for letter in letters} == {settings.topic("applications")}
    assert Counter(letter.reason for letter in letters) == Counter(reason for one in bad for reason in one.reasons)
    shown = run_verb(settings, "decisions")
    assert shown.count("applicant p") == len(good)


def test_a_worker_killed_in_mid_stream_answers_each_application_once(kafka: BrokerProcess, tmp_path: Path) -> None:
    """SIGKILLs while applications come leave neither a gap nor a double, and the bytes of an undisturbed run."""
    bundle = write_small_table_bundle(tmp_path, scorecard=True)
    settings = settings_for(kafka, bundle)
    messages = application_messages(60_000)
    enough = threading.Event()

    def send_until_enough() -> None:
        for first in range(0, len(messages), 300):
            asyncio.run(send(settings, messages[first : first + 300], rate=300.0))
            if enough.is_set():
                return

    sending = threading.Thread(target=send_until_enough)
    sending.start()
    killed_at = []
    for _ in range(2):
        worker = start_worker(settings, tmp_path / "worker.log")
        before = len(decisions_of(settings))
        worker.wait_until(lambda before=before: len(decisions_of(settings)) > before)  # type: ignore[misc]
        worker.kill()
        killed_at.append(len(decisions_of(settings)))
    in_mid_stream = sending.is_alive()
    enough.set()
    sending.join()
    sent = len(published(settings, "applications"))
    with running_worker(settings, tmp_path / "worker.log") as worker:
        worker.wait_until(lambda: len(decisions_of(settings)) >= sent)
    assert in_mid_stream, f"all was sent before the last kill, at {killed_at} decisions"
    assert [record.value for record in published(settings, "decisions")] == undisturbed(settings, bundle)


def undisturbed(settings: Settings, bundle: Path) -> list[bytes]:
    """Return the decisions that one fold gives for each partition of applications."""
    given = []
    log = published(settings, "applications")
    for partition in range(settings.partitions):
        records = [record for record in log if record.partition == partition]
        chunk = Chunk.of(
            settings.topic("applications"),
            partition,
            tuple(record.offset for record in records),
            tuple(record.key for record in records),
            tuple(record.value for record in records),
            caught_up=True,
        )
        fold = ApplicationFold(partition, bundle=read_table_bundle(bundle))
        given += [output.value for output in fold.advance(chunk).outputs]
    return given


def test_a_file_is_decided_live_as_it_is_scored(kafka: BrokerProcess, tmp_path: Path) -> None:
    """`score` and `send applications` give the same decisions of a file, bit for bit."""
    bundle = write_small_table_bundle(tmp_path, scorecard=True)
    settings = settings_for(kafka, bundle)
    loans = small_loans(500, seed=31)
    file, out = tmp_path / "applicants.parquet", tmp_path / "decided.jsonl"
    pa.parquet.write_table(pa.table(dict(loans.columns)), file)
    run_verb(settings, "score", str(bundle), str(file), "--out", str(out))
    scored = [msgspec.json.decode(line, type=ScoredRow) for line in out.read_bytes().splitlines()]
    run_verb(settings, "send", "applications", str(file))
    with running_worker(settings, tmp_path / "worker.log") as worker:
        worker.wait_until(lambda: answered(worker) >= len(scored))
    lines = run_verb(settings, "decisions", "--json").splitlines()
    decided = [msgspec.json.decode(line, type=Decision) for line in lines]
    live = {
        one.application_id: (one.probability, one.points, one.outcome, one.expected_loss, one.threshold, one.reasons)
        for one in decided
    }
    assert len(decided) == len(live) == len(scored) == 500
    assert live == {
        f"row-{one.row:010d}": (
            one.probability,
            one.points,
            one.outcome,
            one.expected_loss,
            one.threshold,
            one.reasons,
        )
        for one in scored
    }
