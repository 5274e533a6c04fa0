import asyncio
import json
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec
import numpy as np
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition as KafkaPartition
from crew import until_worked_off
from fault_stream import SYMBOLS, FaultStream
from live import environment, make_topics, published, run_verb, running_worker

from history_messages import tick_messages
from risk.bundle import GOLDEN_FILE, MANIFEST_FILE, MODEL_FILE
from risk.decision import OUTCOMES, Thresholds, decide
from risk.golden import read_golden
from risk.manifest import short_sha256
from risk.merchant_events import decode_block
from schemas.alert import Alert
from schemas.encoding import encode
from schemas.forecast import Forecast
from schemas.label import Label
from schemas.rate import Rate
from schemas.score import Score
from schemas.volatility import Volatility
from stream.broker_process import BrokerProcess, free_port
from stream.bundle_files import read_bundle, read_market_bundle
from stream.outbox import Outbox
from stream.publisher import publish
from stream.scored_kind import KINDS, KindName
from stream.scored_record import ScoredStream
from stream.settings import Settings
from training.bundle_files import write_bundle
from training.market.tick_simulator import simulate_ticks

DEMO, DEMO_MARKET = (Path(__file__).parents[2] / "bundles" / name for name in ("demo", "demo-market"))
TRANSACTIONS, TICKS, DAYS = 6_000, 30_000, 200
MINUTE_NS, DAY_NS = 60_000_000_000, 86_400_000_000_000
FORGED_NS = 2_000_000_000 * 1_000_000_000
BEFORE_FORGED = "2033-01-01"


@pytest.fixture(scope="module")
def stream() -> FaultStream:
    """Give the stream that is scored, with ticks enough for alerts on bars."""
    stream = FaultStream(TRANSACTIONS, seed=5)
    stream.ticks = list(tick_messages(simulate_ticks(SYMBOLS, TICKS, seed=5)))
    return stream


@pytest.fixture(scope="module")
def settings(kafka: BrokerProcess, stream: FaultStream, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give settings whose topics hold a stream that a worker scored as it came, in two lives."""
    name = f"replay-{uuid4().hex[:8]}"
    settings = Settings(
        broker=kafka.bootstrap,
        application_id=name,
        topic_prefix=f"{name}.",
        bundle=DEMO,
        market_bundle=str(DEMO_MARKET),
        publish_scores=True,
        checkpoint_interval_seconds=0.2,
        web_port=free_port(),
    )
    make_topics(settings)
    log = tmp_path_factory.mktemp("replay") / "worker.log"
    send_rates(settings)
    sending = stream.sending(settings, seconds=8.0)
    with running_worker(settings, log) as worker:
        worker.wait_until(lambda: worker.metric("riskstream_events_total", job="merchants", event="scored") > 0)
    with running_worker(settings, log) as worker:
        worker.wait_until(lambda: not sending.is_alive())
        until_worked_off([worker])
    return settings


def send_rates(settings: Settings) -> None:
    """Send the curves of two currencies, one a day, which jump now and then."""
    draw = random.Random(5)
    points = []
    for currency in ("EUR", "USD"):
        level = 4.0
        for day in range(DAYS):
            level += draw.gauss(0.0, 0.05) + (0.4 if day % 40 == 30 else 0.0)
            for months in (3, 24, 60, 120):
                yields = round(level + 0.002 * months + draw.gauss(0.0, 0.01), 2)
                points.append(
                    (currency, encode(Rate(1, currency, months, yields, 1_704_067_200_000_000_000 + day * DAY_NS)))
                )

    async def send() -> None:
        outbox = Outbox(settings.broker, client_id="rates")
        await outbox.start()
        try:
            await publish(outbox, settings.topic("rates"), settings.partitions, points)
        finally:
            await outbox.stop()

    asyncio.run(send())


@pytest.fixture(scope="module")
def scores(settings: Settings) -> list[Score]:
    """Give the scores that were published."""
    return [msgspec.json.decode(record.value, type=Score) for record in published(settings, "scores")]


@pytest.fixture(scope="module")
def bars(settings: Settings) -> list[Volatility]:
    """Give the volatilities that were published."""
    return [msgspec.json.decode(record.value, type=Volatility) for record in published(settings, "volatility")]


def replayed(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the verb to its end."""
    return subprocess.run(
        [sys.executable, "-m", "riskstream", "replay", *arguments],
        env=environment(settings) | {"COLUMNS": "160"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def row(text: str, name: str) -> list[str]:
    """Return the cells of the first row of a table that begins with a name, no heading, in what the verb printed."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("│")][1:-1]
        if cells and cells[0] == name:
            return cells[1:]
    raise AssertionError(f"no row {name} in:\n{text}")


def counts(text: str, name: str) -> list[int]:
    """Return a row's counts."""
    return [int(cell.replace(",", "")) for cell in row(text, name)]


Line = tuple[str, int, str | None, bytes]


def lines_of(path: Path) -> Counter[Line]:
    """Return what lies in a file of re-scored records: stream, partition, key and bytes of each."""
    found: Counter[Line] = Counter()
    for line in path.read_bytes().splitlines():
        read = json.loads(line)
        value = line[line.index(b'"record":') + len(b'"record":') : -1]
        found[read["stream"], read["partition"], read["key"], value] += 1
    return found


def lies_in(settings: Settings, kind: KindName) -> dict[str, Counter[Line]]:
    """Return what lies in a kind's topics, in the same form, by stream, but for what a test forged."""
    return {
        stream: Counter(
            (stream, one.partition, None if one.key is None else one.key.decode(), one.value)
            for one in published(settings, stream)
            if is_own(stream, one.value, settings.topic(kind), KINDS[kind].entity_kind)
        )
        for stream in KINDS[kind].streams
    }


def is_own(stream: ScoredStream, value: bytes, topic: str, entity_kind: str) -> bool:
    """Tell whether an alert is on such an entity and not forged by a test, or a forecast of a message on a topic."""
    if stream == "forecasts":
        return msgspec.json.decode(value, type=Forecast).source.topic == topic
    if stream != "alerts":
        return True
    alert = msgspec.json.decode(value, type=Alert)
    return alert.entity_kind == entity_kind and alert.event_time_ns != FORGED_NS


def other_bundle(folder: Path, thresholds: Thresholds) -> Path:
    """Write the demo bundle with other thresholds; return its folder."""
    (demo,) = (path for path in DEMO.iterdir() if path.is_dir())
    manifest = read_bundle(demo).manifest
    return write_bundle(
        folder,
        msgspec.structs.replace(manifest, name="other", thresholds=thresholds),
        model=(demo / MODEL_FILE).read_bytes(),
        golden=read_golden((demo / GOLDEN_FILE).read_bytes()),
    )


def other_market_bundle(folder: Path) -> Path:
    """Write the demo bundle of markets under another name, and so of another version; return its folder."""
    files = {path.name: path.read_bytes() for path in DEMO_MARKET.glob("*/*")}
    manifest = json.loads(files[MANIFEST_FILE]) | {"name": "other-market"}
    files[MANIFEST_FILE] = json.dumps(manifest).encode()
    target = folder / short_sha256(files[MANIFEST_FILE])
    target.mkdir()
    for name, content in files.items():
        (target / name).write_bytes(content)
    return target


@pytest.mark.parametrize(
    ("kind", "events", "least"),
    [("transactions", "scores", TRANSACTIONS / 2), ("ticks", "volatility", TICKS / 50), ("rates", "curves", DAYS)],
)
def test_the_same_bundle_gives_what_was_published(
    settings: Settings, tmp_path: Path, kind: KindName, events: ScoredStream, least: float
) -> None:
    """Scored again, a stream that was scored live, over a restart, gives every record byte for byte, and status 0."""
    target = tmp_path / "rescored.jsonl"
    ran = replayed(settings, kind, "--compare", "--to", BEFORE_FORGED, "--output", str(target))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    due = lies_in(settings, kind)
    assert due[events].total() > least
    assert due["alerts"].total() > 2
    for name, records in due.items():
        assert counts(ran.stdout, name) == [records.total(), 0, 0, 0, 0]
    assert lines_of(target) == sum(due.values(), start=Counter())
    assert [path.name for path in tmp_path.iterdir()] == ["rescored.jsonl"]
    if kind == "transactions":
        assert row(ran.stdout, "published") == row(ran.stdout, "re-scored")


def test_a_span_of_time_holds_the_events_of_that_time(settings: Settings, scores: list[Score], tmp_path: Path) -> None:
    """The first instant belongs to a span and the last does not, and its records are those published, state and all."""
    times = sorted(score.event_time_ns for score in scores)
    first, end = (times[len(times) * part // 4] // DAY_NS for part in (1, 3))
    days = [np.datetime64(day, "D").item().isoformat() for day in (first, end)]
    target = tmp_path / "span.jsonl"
    ran = replayed(settings, "--from", days[0], "--to", f"{days[1]}T00:00", "--compare", "--output", str(target))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    chosen = [score for score in scores if first * DAY_NS <= score.event_time_ns < end * DAY_NS]
    assert 0 < len(chosen) < len(scores)
    assert counts(ran.stdout, "scores") == [len(chosen), 0, 0, 0, 0]
    assert {json.loads(line)["stream"] for line in target.read_bytes().splitlines()} >= {"alerts", "scores"}


def test_a_span_of_offsets_holds_the_messages_that_lie_there(settings: Settings, scores: list[Score]) -> None:
    """Offsets are those of the transactions, in every partition."""
    ran = replayed(settings, "--from", "200", "--to", "500", "--compare")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    chosen = [score for score in scores if 200 <= score.source.offset < 500]
    assert 0 < len(chosen) < len(scores)
    assert counts(ran.stdout, "scores") == [len(chosen), 0, 0, 0, 0]


def test_a_span_of_ticks_holds_the_bars_that_they_closed(settings: Settings, bars: list[Volatility]) -> None:
    """A bar lies where its end lies in time, and by offset where the tick lies that closed it."""
    ends = sorted(bar.bar_end_ns for bar in bars)
    first, end = (ends[len(ends) * part // 4] // MINUTE_NS for part in (1, 3))
    minutes = [np.datetime64(minute, "m").item().isoformat() for minute in (first, end)]
    ran = replayed(settings, "ticks", "--from", minutes[0], "--to", minutes[1], "--compare")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    chosen = [bar for bar in bars if first * MINUTE_NS <= bar.bar_end_ns < end * MINUTE_NS]
    assert 0 < len(chosen) < len(bars)
    assert counts(ran.stdout, "volatility") == [len(chosen), 0, 0, 0, 0]

    ran = replayed(settings, "ticks", "--from", "100", "--to", "300", "--compare")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    chosen = [bar for bar in bars if 100 <= bar.source.offset < 300]
    assert 0 < len(chosen) < len(bars)
    assert counts(ran.stdout, "volatility") == [len(chosen), 0, 0, 0, 0]


def test_another_bundle_is_held_against_the_published_outcomes(
    settings: Settings, stream: FaultStream, scores: list[Score], tmp_path: Path
) -> None:
    """Lower thresholds alert on more: every pair of outcomes is counted, and precision and recall of both are told."""
    live = read_bundle(DEMO).manifest.thresholds
    thresholds = Thresholds(review=live.review / 4, decline=(live.review + live.decline) / 2)
    ran = replayed(settings, "--bundle", str(other_bundle(tmp_path, thresholds)), "--compare", "--to", BEFORE_FORGED)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    outcomes = [OUTCOMES[code] for code in decide(np.array([score.score for score in scores]), thresholds)]
    pairs = Counter((score.outcome, outcome) for score, outcome in zip(scores, outcomes, strict=True))
    for was in OUTCOMES:
        expected = [pairs[was, now] for now in OUTCOMES]
        assert counts(ran.stdout, was) == [*expected, sum(expected)]
    newly = pairs["approve", "review"] + pairs["approve", "decline"]
    assert newly > 0
    assert f"transactions: {newly:,} newly alerted, 0 no longer alerted" in ran.stdout
    assert row(ran.stdout, "score") == [f"{len(scores):,}", *["+0.0000"] * 7]

    labels = [msgspec.json.decode(value, type=Label) for _, value in stream.labels]
    known = {(label.transaction_id, label.customer_id) for label in labels}
    fraud = [(score.event_id, score.customer_id) in known for score in scores]
    for name, alerted in (
        ("published", [score.outcome != "approve" for score in scores]),
        ("re-scored", [outcome != "approve" for outcome in outcomes]),
    ):
        hits = sum(a and f for a, f in zip(alerted, fraud, strict=True))
        assert hits > 0
        assert row(ran.stdout, name) == [
            *(f"{sum(alerted):,}", f"{hits:,}", f"{hits / sum(alerted):.1%}", f"{hits / sum(fraud):.1%}")
        ]


def test_another_market_bundle_is_held_against_the_published_bars(
    settings: Settings, bars: list[Volatility], tmp_path: Path
) -> None:
    """The same models under another name differ in no bar: no outcome and no volatility is another."""
    other = other_market_bundle(tmp_path)
    ran = replayed(settings, "ticks", "--bundle", str(other), "--compare", "--to", BEFORE_FORGED)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"re-scored by other-market {other.name}" in ran.stdout
    assert f"published in that span by: {read_market_bundle(DEMO_MARKET).version}" in ran.stdout
    assert "bars: 0 newly alerted, 0 no longer alerted" in ran.stdout
    # An alert on a feed that went silent is on no bar.
    alerts = {
        msgspec.json.decode(value, type=Alert).alert_id for _, _, _, value in lies_in(settings, "ticks")["alerts"]
    }
    quiet = len({bar.volatility_id for bar in bars} - alerts)
    assert counts(ran.stdout, "review") == [0, len(alerts), 0, len(alerts)]
    assert counts(ran.stdout, "approve") == [quiet, 0, 0, quiet]
    assert row(ran.stdout, "annualised volatility, %") == [f"{len(bars):,}", *["+0.0000"] * 7]
    assert "frauds" not in ran.stdout


def test_a_forged_alert_is_found(settings: Settings) -> None:
    """An alert that no event led to is surplus, and the status is 1, where its time lies in the span."""
    alerts = forge(settings, "transactions")
    ran = replayed(settings, "--compare")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert counts(ran.stdout, "alerts") == [alerts, 0, 0, 1, 0]
    assert "1 records differ" in ran.stderr
    ran = replayed(settings, "--compare", "--from", BEFORE_FORGED)
    assert ran.returncode == 1
    assert counts(ran.stdout, "alerts") == [0, 0, 0, 1, 0]
    assert replayed(settings, "--compare", "--to", BEFORE_FORGED).returncode == 0


def test_a_forged_alert_is_found_among_its_kind_alone(settings: Settings) -> None:
    """A customer's alert that no event led to is none of the ticks' differences; a symbol's is."""
    forge(settings, "transactions")
    ran = replayed(settings, "ticks", "--compare")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    alerts = forge(settings, "ticks")
    assert counts(ran.stdout, "alerts") == [alerts, 0, 0, 0, 0]
    ran = replayed(settings, "ticks", "--compare")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert counts(ran.stdout, "alerts") == [alerts, 0, 0, 1, 0]


def forge(settings: Settings, kind: KindName) -> int:
    """Publish an alert of a kind that no event led to, far in the future; return how many genuine ones there are."""
    alerts = [one for one in published(settings, "alerts") if is_own("alerts", one.value, "", KINDS[kind].entity_kind)]
    genuine = msgspec.json.decode(alerts[0].value, type=Alert)
    invented = msgspec.structs.replace(genuine, alert_id="ab" * 16, event_time_ns=FORGED_NS)

    async def put() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            await producer.send_and_wait(
                settings.topic("alerts"), encode(invented), key=alerts[0].key, partition=alerts[0].partition
            )

    asyncio.run(put())
    return len(alerts)


def test_rescored_alerts_go_to_a_topic_once(settings: Settings) -> None:
    """The alerts lie in the topic as they were published, kind by kind, and a second run adds nothing."""
    name = f"{settings.topic_prefix}copies"
    alerts: Counter[Line] = Counter()
    for kind in KINDS:
        own = lies_in(settings, kind)["alerts"]
        assert f"{own.total():,} alerts published to {name}" in run_verb(settings, "replay", kind, "--to-topic", name)
        assert f"0 alerts published to {name}" in run_verb(settings, "replay", kind, "--to-topic", name)
        alerts += own
    copies = Counter(
        ("alerts", one.partition, None if one.key is None else one.key.decode(), one.value)
        for one in published(settings, "copies")
    )
    assert copies == alerts
    refused = replayed(settings, "--to-topic", "no name!")
    assert refused.returncode == 2, refused.stdout + refused.stderr
    assert "'no name!'" in refused.stderr
    assert refused.stderr.count("\n") == 1


def copied_without_half(
    settings: Settings, name: str, counted: Callable[[bytes], bool] = lambda value: True
) -> tuple[Settings, dict[int, int]]:
    """Return settings whose topic holds a copy without the first half, of what is counted, of another's records.

    With them come the offsets at which the copy begins, by partition.
    """
    part = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}part-{name}."})
    make_topics(part)
    events = published(settings, name)
    offsets: dict[int, list[int]] = defaultdict(list)
    for one in events:
        if counted(one.value):
            offsets[one.partition].append(one.offset)
    removed = {number: sorted(found)[len(found) // 2] for number, found in offsets.items()}

    async def copy() -> None:
        topic = part.topic(name)
        async with AIOKafkaProducer(bootstrap_servers=part.broker) as producer:
            for one in events:
                await producer.send(topic, one.value, key=one.key, partition=one.partition)
        admin = AIOKafkaAdminClient(bootstrap_servers=part.broker)
        await admin.start()
        try:
            await admin.delete_records(
                {KafkaPartition(topic, number): RecordsToDelete(before_offset=at) for number, at in removed.items()}
            )
        finally:
            await admin.close()

    asyncio.run(copy())
    return part, removed


def transactions_in(value: bytes) -> list[tuple[int, int]]:
    """Return where a block's transactions lie; many hold none, and tell how far a source has been read."""
    block = decode_block(value)
    return [(block.partition, offset) for offset in block.offsets.tolist()] if block.role == "transactions" else []


def test_a_log_without_its_beginning_is_told_and_scored(settings: Settings) -> None:
    """Records that were removed are warned of, and what is left is scored, though no source says where it was."""
    part, removed = copied_without_half(settings, "merchant-events", lambda value: len(transactions_in(value)) > 0)
    ran = replayed(part)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr.count("\n") == 1
    assert f"{part.topic('merchant-events')} has lost its beginning" in ran.stderr
    at, first = max(removed.items(), key=lambda item: item[1])
    assert f"{at} begins at {first:,}" in ran.stderr
    left = {
        place
        for one in published(settings, "merchant-events")
        if one.offset >= removed[one.partition]
        for place in transactions_in(one.value)
    }
    assert 0 < len(left) < TRANSACTIONS
    assert f"{len(left):,}" in ran.stdout


def test_ticks_without_their_beginning_are_told_and_scored(settings: Settings, bars: list[Volatility]) -> None:
    """Ticks that were removed are warned of, and what is left gives fewer bars."""
    part, removed = copied_without_half(settings, "ticks")
    ran = replayed(part, "ticks")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr.count("\n") == 1
    assert f"{part.topic('ticks')} has lost its beginning" in ran.stderr
    at, first = max(removed.items(), key=lambda item: item[1])
    assert f"{at} begins at {first:,}" in ran.stderr
    found = re.search(r"│ +([\d,]+) │", ran.stdout)
    assert found is not None
    assert 0 < int(found[1].replace(",", "")) < len(bars)


def test_topics_that_are_not_there_are_named(kafka: BrokerProcess) -> None:
    """A prefix without topics ends the verb with status 2 and the name of what is missing."""
    settings = Settings(broker=kafka.bootstrap, topic_prefix=f"none-{uuid4().hex[:8]}.", bundle=DEMO)
    ran = replayed(settings, "--compare")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert ran.stderr.count("\n") == 1
    assert settings.topic("merchant-events") in ran.stderr
    assert "RISKSTREAM_TOPIC_PREFIX" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ticks"], ["RISKSTREAM_MARKET_BUNDLE=''", "nobody scores ticks", "--bundle"]),
        (["rates"], ["RISKSTREAM_MARKET_BUNDLE=''", "nobody scores rates", "--bundle"]),
        (["ticks", "--bundle", str(DEMO)], ["which scores transactions", "riskstream market train"]),
        (["--bundle", str(DEMO_MARKET)], ["which is of markets", "name one that scores transactions"]),
    ],
)
def test_a_kind_is_scored_by_a_bundle_of_its_own(arguments: list[str], told: list[str]) -> None:
    """Ticks without a bundle of markets, or either kind with the other's bundle, are refused in one line, status 2."""
    ran = replayed(Settings(bundle=DEMO), *arguments)
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert ran.stderr.count("\n") == 1
    for one in told:
        assert one in ran.stderr
