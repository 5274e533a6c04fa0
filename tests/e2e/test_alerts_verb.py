import asyncio
import json
import os
import signal
import subprocess
import sys
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from live import environment, make_topics, run_verb

from schemas.alert import Alert
from schemas.encoding import encode
from schemas.reason import Reason
from schemas.source import Source
from stream.broker_process import BrokerProcess
from stream.settings import Settings


def alert(number: int) -> Alert:
    """Return an alert on a customer."""
    return Alert(
        schema_version=1,
        alert_id=f"a{number}",
        event_id=f"t{number}",
        entity_kind="customer",
        entity_id=f"c{number}",
        event_time_ns=1_767_225_600_000_000_000,
        source=Source("transactions", 0, number),
        score=0.9,
        threshold=0.5,
        outcome="decline",
        severity="high",
        reasons=(Reason("AMOUNT_UNUSUAL", "amount", 900.0, 40.0, 0.4),),
        bundle_name="demo",
        bundle_version="0123456789ab",
    )


def put(settings: Settings, alerts: list[Alert]) -> None:
    """Publish alerts, as a worker would."""

    async def send() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.broker) as producer:
            for one in alerts:
                await producer.send_and_wait(settings.topic("alerts"), encode(one), partition=len(one.event_id) % 4)

    asyncio.run(send())


def settings_for(broker: BrokerProcess) -> Settings:
    """Return settings with topics of this test's own, which are made."""
    settings = Settings(broker=broker.bootstrap, topic_prefix=f"alerts-{uuid4().hex[:8]}.")
    make_topics(settings)
    return settings


def test_alerts_are_shown_and_the_verb_ends(broker: BrokerProcess) -> None:
    """Without --follow the verb shows what is there and ends, for people and as JSON; an empty topic shows nothing."""
    settings = settings_for(broker)
    assert run_verb(settings, "alerts") == ""
    sent = [alert(number) for number in range(12)]
    put(settings, sent)
    lines = run_verb(settings, "alerts", "--json").splitlines()
    assert sorted(lines) == sorted(encode(one).decode() for one in sent)
    shown = run_verb(settings, "alerts")
    assert shown.count("AMOUNT_UNUSUAL (amount 900, usually 40)") == 12
    assert "customer c11  event t11" in shown


def test_followed_alerts_come_as_they_are_raised(broker: BrokerProcess) -> None:
    """With --follow a later alert is shown too, each line at once, until Ctrl-C, which is no failure."""
    settings = settings_for(broker)
    put(settings, [alert(1)])
    with subprocess.Popen(
        [sys.executable, "-m", "riskstream", "alerts", "--follow", "--json"],
        env=environment(settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as following:
        assert following.stdout is not None
        assert following.stderr is not None
        assert json.loads(following.stdout.readline())["event_id"] == "t1"
        put(settings, [alert(2)])
        assert json.loads(following.stdout.readline())["event_id"] == "t2"
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 0, following.stderr.read()


def test_a_reader_that_leaves_is_no_failure(kafka: BrokerProcess) -> None:
    """`riskstream alerts --json | head -1` ends without a traceback."""
    settings = settings_for(kafka)
    put(settings, [alert(number) for number in range(3_000)])
    read_end, write_end = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-m", "riskstream", "alerts", "--json"],
        env=environment(settings),
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
    ) as showing:
        os.close(write_end)
        os.read(read_end, 10)
        os.close(read_end)
        assert showing.stderr is not None
        showing.wait(30)
        assert "Traceback" not in showing.stderr.read()
