"""`riskstream explain`, on alerts as workers make them."""

import asyncio
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from live import environment, make_topics, run_verb

from history_messages import transaction_messages
from risk.chunk import Chunk
from risk.fold import Output
from schemas.alert import Alert
from schemas.encoding import encode
from schemas.reason import Reason
from schemas.source import Source
from stream.app import job_specs
from stream.broker_process import BrokerProcess
from stream.bundles import read_bundles
from stream.settings import Settings
from tests.small_bundle import small_bundle
from training.bundle_files import write_bundle
from training.history import History
from training.simulator import simulate_transactions

HISTORY = simulate_transactions(customers=20, merchants=10, days=20, seed=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of the small bundle."""
    small = small_bundle()
    return write_bundle(
        tmp_path_factory.mktemp("bundles"),
        small.manifest,
        model=small.model,
        golden=small.golden,
        explanation=small.explanation,
    )


def settings_for(broker: BrokerProcess, folder: Path) -> Settings:
    """Return settings with topics of this test's own, which are made."""
    settings = Settings(
        broker=broker.bootstrap, topic_prefix=f"explain-{uuid4().hex[:8]}.", bundle=folder, partitions=1
    )
    make_topics(settings)
    return settings


def alerts_of(settings: Settings, history: History) -> list[Output]:
    """Return the alerts that a worker of one partition gives for a history."""
    specs = {spec.name: spec for spec in job_specs(settings, read_bundles(settings))}
    keys, values = zip(*((key.encode(), value) for key, value in transaction_messages(history, "EUR")), strict=True)
    chunk = Chunk.of("transactions", 0, tuple(range(len(keys))), keys, values, caught_up=True)
    blocks = [one.value for one in specs["customers"].new_fold(0).advance(chunk).outputs]
    empty = specs["labels"].new_fold(0).advance(Chunk.of("labels", 0, (), (), (), caught_up=True))
    blocks += [one.value for one in empty.outputs]
    log = Chunk.of(
        "merchant-events", 0, tuple(range(len(blocks))), (None,) * len(blocks), tuple(blocks), caught_up=True
    )
    return [one for one in specs["merchants"].new_fold(0).advance(log).outputs if one.stream == "alerts"]


def put(settings: Settings, values: list[bytes]) -> None:
    """Publish alerts."""

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            for value in values:
                await producer.send_and_wait(settings.topic("alerts"), value)

    asyncio.run(send())


def refused(settings: Settings, *arguments: str) -> str:
    """Run the verb, which must end as a usage error without a traceback; return what it said."""
    ran = subprocess.run(
        [sys.executable, "-m", "riskstream", "explain", *arguments],
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stderr
    return " ".join(ran.stderr.split())


def test_an_alert_is_explained_from_the_topic_and_its_bundle(broker: BrokerProcess, folder: Path) -> None:
    """Contributions, their sum and a counterfactual are shown; what cannot be explained is a usage error."""
    settings = settings_for(broker, folder)
    found = [one.value for one in alerts_of(settings, HISTORY)]
    alert = msgspec.json.decode(found[len(found) // 2], type=Alert)
    old = msgspec.structs.replace(alert, alert_id="old", contributions={}, features={})
    other = msgspec.structs.replace(alert, alert_id="other", bundle_version="0123456789ab")
    forged = msgspec.structs.replace(alert, alert_id="forged", features={"amount": 1.0})
    symbol = msgspec.structs.replace(
        alert,
        alert_id="symbol",
        entity_kind="symbol",
        entity_id="EURUSD",
        source=Source("ticks", 0, 1),
        score=1.5,
        threshold=1.0,
        reasons=(Reason("VALUE_AT_RISK_99_EXCEEDED", "loss_percent", 3.0, 2.0, 0.5),),
        usual_score=1.0,
        contributions={"loss_percent": 0.5},
        features={"loss_percent": 3.0},
    )
    old_symbol = msgspec.structs.replace(symbol, alert_id="old-symbol", contributions={}, features={})
    put(settings, [*found, *(encode(one) for one in (old, other, forged, symbol, old_symbol))])
    text = run_verb(settings, "explain", alert.alert_id)
    assert f"event {alert.event_id}" in text
    assert all(name in text for name in alert.features)
    assert "of contributions = score" in text
    assert "would not have been an alert" in text or "it would have been an alert too" in text
    assert "Values within the limits" in run_verb(settings, "explain", "symbol")
    assert "ALERT_ID 'a[/]b': is not on" in refused(settings, "a[/]b")
    assert "gave no contributions; `riskstream replay` scores it again" in refused(settings, "old")
    assert "gave no contributions; `riskstream replay ticks` scores it again" in refused(settings, "old-symbol")
    assert "is not that of the alert, small 0123456789ab" in refused(settings, "other")
    assert "other features than its bundle" in refused(settings, "forged")
    assert "bundle: folder is" in refused(settings, alert.alert_id, "--bundle", str(folder / "none"))
