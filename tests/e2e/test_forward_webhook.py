import base64
import hashlib
import hmac
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

import msgspec
from forwarding import SECRET, Request, own_settings, put, receiving, some_alerts, start_forwarder
from live import published

from schemas.encoding import encode
from schemas.forward_dead_letter import ForwardDeadLetter
from stream.broker_process import BrokerProcess, free_port
from stream.settings import Settings


def letters(settings: Settings) -> list[ForwardDeadLetter]:
    """Return the dead letters of forwarders."""
    found = published(settings, "forward-deadletter")
    return [msgspec.json.decode(one.value, type=ForwardDeadLetter) for one in found]


def in_order(requests: list[Request]) -> dict[str, list[int]]:
    """Return the alerts' numbers by customer, as they came, each at its first time."""
    seen: dict[str, list[int]] = defaultdict(list)
    for one in requests:
        number = int(one.identity[1:])
        if number not in seen[one.entity]:
            seen[one.entity].append(number)
    return seen


def test_every_alert_arrives_signed_and_in_order_whatever_is_answered_first(
    kafka: BrokerProcess, tmp_path: Path
) -> None:
    """503 and 429 are tried again, the latter not before it may; a refusal and what is no alert become dead letters."""
    settings = own_settings(kafka, "hook")
    alerts = some_alerts(40)
    put(settings, [*alerts[:20], b"no alert", *alerts[20:]])
    asked: Counter[str] = Counter()
    times: list[float] = []

    def answer(identity: str) -> tuple[int, dict[str, str]]:
        asked[identity] += 1
        if identity == "a5":
            times.append(time.monotonic())
        first = {"a3": (503, {}), "a4": (302, {"Location": "/elsewhere"}), "a5": (429, {"Retry-After": "2"})}
        again = identity == "a4" or asked[identity] == 1
        return first[identity] if identity in first and again else (200, {})

    with receiving(answer) as receiver:
        forwarder = start_forwarder(settings, tmp_path / "log", "webhook", receiver.url)
        forwarder.wait_until(lambda: len(receiver.delivered()) == 39)
        forwarder.stop()
        requests = receiver.requests
    assert in_order(receiver.delivered()) == {
        f"c{customer}": [number for number in range(40) if number % 10 == customer and number != 4]
        for customer in range(10)
    }
    assert times[1] - times[0] >= 2.0
    assert asked["a3"] == 2
    assert {one.path for one in requests} == {"/hook?token=hidden"}
    by_id = {one.alert_id: one for one in alerts}
    for one in requests:
        event = json.loads(one.body)
        assert event["data"] == json.loads(encode(by_id[event["id"]]))
        assert one.headers["content-type"].startswith("application/cloudevents+json")
        assert one.headers["webhook-id"] == event["id"]
        assert abs(int(one.headers["webhook-timestamp"]) - time.time()) < 300
        signed = f"{event['id']}.{one.headers['webhook-timestamp']}.".encode() + one.body
        found = hmac.new(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256).digest()
        assert one.headers["webhook-signature"] == "v1," + base64.b64encode(found).decode()
    given_up = {one.payload: one for one in letters(settings)}
    assert set(given_up) == {encode(alerts[4]), b"no alert"}
    refused = given_up[encode(alerts[4])]
    assert (refused.reason, refused.status, refused.tries, refused.key) == ("refused", 302, 1, b"c4")
    assert (given_up[b"no alert"].reason, given_up[b"no alert"].tries) == ("not_an_alert", 0)
    log = (tmp_path / "log").read_text()
    assert "39 alerts delivered, 2 requests made again, 2 messages dead-lettered" in log
    assert "hidden" not in log
    assert not any(f'"c{number}"' in log for number in range(10))


def test_a_receiver_that_stays_away_leaves_dead_letters_and_a_committed_group(
    kafka: BrokerProcess, tmp_path: Path
) -> None:
    """After the last try the alert's own bytes are kept, and a forwarder that starts again sends later ones alone."""
    settings = own_settings(kafka, "away")
    alerts = some_alerts(4)
    put(settings, alerts[:2])
    port = free_port()
    arguments = ("webhook", f"http://127.0.0.1:{port}/", "--tries", "2")
    forwarder = start_forwarder(settings, tmp_path / "log", *arguments)
    forwarder.wait_until(lambda: (tmp_path / "log").read_text().count('"dead_lettered"') == 2)
    forwarder.stop()
    found = letters(settings)
    assert {one.payload for one in found} == {encode(one) for one in alerts[:2]}
    assert {(one.reason, one.tries, one.status) for one in found} == {("gave_up", 2, None)}
    assert {one.group for one in found} == {f"{settings.application_id}-forward-webhook"}
    put(settings, alerts[2:])
    with receiving(port=port) as receiver:
        forwarder = start_forwarder(settings, tmp_path / "log", *arguments)
        forwarder.wait_until(lambda: len(receiver.requests) == 2)
        forwarder.stop()
    assert {one.identity for one in receiver.requests} == {"a2", "a3"}


def test_a_killed_forwarder_and_a_rebalance_lose_nothing(kafka: BrokerProcess, tmp_path: Path) -> None:
    """Though one is killed, one joins and one leaves, every alert comes, each customer's in order."""
    settings = own_settings(kafka, "kill")
    put(settings, some_alerts(600))

    def answer(identity: str) -> tuple[int, dict[str, str]]:
        time.sleep(0.005)
        return (204, {})

    with receiving(answer) as receiver:
        first = start_forwarder(settings, tmp_path / "log", "webhook", receiver.url)
        first.wait_until(lambda: len(receiver.requests) >= 100)
        first.kill()
        later = receiver.url + "&sender=later"
        second = start_forwarder(settings, tmp_path / "log", "webhook", later)
        second.wait_until(lambda: len({one.identity for one in receiver.requests}) >= 300)
        put(settings, some_alerts(1400, first=600))
        third = start_forwarder(settings, tmp_path / "log", "webhook", later)
        third.wait_until(lambda: (tmp_path / "log").read_text().count('"partitions": [1]') >= 1)
        second.wait_until(lambda: len({one.identity for one in receiver.requests}) >= 1200)
        second.stop()
        third.wait_until(lambda: len({one.identity for one in receiver.requests}) == 2000)
        third.stop()
        requests = receiver.requests
    assert in_order(requests) == {
        f"c{customer}": [number for number in range(2000) if number % 10 == customer] for customer in range(10)
    }
    # A kill repeats what was not committed; members that come and leave in order repeat nothing.
    sent_later = Counter(one.identity for one in requests if one.path.endswith("&sender=later"))
    assert set(sent_later.values()) == {1}
    assert letters(settings) == []
