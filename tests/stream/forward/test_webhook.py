import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from forwarding import receiving, some_alerts

from schemas.encoding import encode
from stream.forward.delivery import Delivery, Limits
from stream.forward.forward_dead_letters import ForwardDeadLetters
from stream.forward.webhook import Receiver, Tally, WebhookForwarder, webhook_session
from stream.settings import Settings


class Letters(ForwardDeadLetters):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__(Settings(), "group")
        self.given: list[Delivery] = []

    async def undelivered(self, record: ConsumerRecord, delivery: Delivery) -> None:
        self.given.append(delivery)


def record() -> Any:
    """Return an alert as a record of its topic."""
    (alert,) = some_alerts(1)
    return ConsumerRecord("alerts", 0, 7, 0, 0, b"c0", encode(alert), 0, 2, 1, ())


def handled(url: str, limits: Limits, released: bool = False) -> tuple[bool, Tally, list[Delivery]]:
    """Hand one alert on; return whether it is done with, what was counted, and what was given up."""

    async def handle() -> tuple[bool, Tally, list[Delivery]]:
        letters, tally, release = Letters(), Tally(), asyncio.Event()
        if released:
            release.set()
        async with webhook_session(5.0) as session:
            forwarder = WebhookForwarder(Receiver(url, bytes(24), 5.0), limits, "/x", session, letters, tally)
            return await forwarder.handle(record(), release), tally, letters.given

    return asyncio.run(handle())


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Give a certificate of this machine that it signed itself, with its key, in one file."""
    file = tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=receiver"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(file), "-out", str(tmp_path / "only.pem")]
    subprocess.run(made, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + (tmp_path / "only.pem").read_bytes())
    return file


def test_no_alert_goes_to_a_server_that_nobody_vouches_for(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that it signed itself counts as no answer, and one that is trusted is as good as any."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with receiving(certificate=context) as receiver:
        done, tally, given_up = handled(receiver.url, Limits(1, 60.0))
        assert done
        assert receiver.requests == []
        assert [(one.end, one.answer.failure) for one in given_up] == [("gave_up", "ClientConnectorCertificateError")]
        assert tally == Tally(dead_lettered=1)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.parent / "only.pem"))
        assert handled(receiver.url, Limits(1, 60.0)) == (True, Tally(delivered=1), [])


def test_a_redirection_is_not_followed() -> None:
    """The signed alert goes where it was addressed to, and nowhere else."""
    with receiving() as elsewhere, receiving(lambda identity: (307, {"Location": elsewhere.url})) as receiver:
        _, _, given_up = handled(receiver.url, Limits(3, 60.0))
        assert [(one.end, one.answer.status) for one in given_up] == [("refused", 307)]
        assert elsewhere.requests == []


def test_what_is_released_before_it_is_delivered_is_not_done_with() -> None:
    """It is neither counted nor given up: whoever has the partition next begins with it."""
    with receiving(lambda identity: (503, {})) as receiver:
        done, tally, given_up = handled(receiver.url, Limits(9, 60.0), released=True)
    assert (done, tally, given_up) == (False, Tally(), [])
    assert len(receiver.requests) == 1
