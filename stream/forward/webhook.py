"""Sends every alert to a web server, signed, at least once, in the order of its partition."""

import asyncio
import contextlib
import random
import ssl
import time
from dataclasses import dataclass

import aiohttp
import structlog
from aiokafka import ConsumerRecord

from stream.forward.alert_message import NotAnAlert, read_alert
from stream.forward.cloud_event import CONTENT_TYPE, alert_event
from stream.forward.delivery import Delivery, Limits, deliver
from stream.forward.forward_dead_letters import ForwardDeadLetters
from stream.forward.group import group_consumer
from stream.forward.ordered_delivery import COMMIT_TIMEOUT_SECONDS, OrderedDelivery
from stream.forward.tries import Answer, read_retry_after
from stream.forward.until import interrupted
from stream.forward.webhook_address import shown_address
from stream.forward.webhook_signature import signature_headers
from stream.settings import Settings

log = structlog.get_logger(__name__)

ANSWER_BYTES = 64 * 1024
"""How much of an answer's body is read, and thrown away, so that the connection can be used again."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where alerts go: the address, the key that signs them, if any, and how long a request may take."""

    url: str
    key: bytes | None
    timeout_seconds: float


@dataclass
class Tally:
    """What a forwarder did: alerts delivered, requests made again, messages given up."""

    delivered: int = 0
    retried: int = 0
    dead_lettered: int = 0


class WebhookForwarder:
    """Does with one record of the topic what is to be done: deliver it, or write its dead letter."""

    def __init__(
        self,
        receiver: Receiver,
        limits: Limits,
        source: str,
        session: aiohttp.ClientSession,
        letters: ForwardDeadLetters,
        tally: Tally,
    ) -> None:
        self._receiver = receiver
        self._limits = limits
        self._source = source
        self._session = session
        self._letters = letters
        self._tally = tally

    async def handle(self, record: ConsumerRecord, release: asyncio.Event) -> bool:
        """Return whether the record is done with; it is not if `release` was set before it was delivered."""
        alert = read_alert(record.value)
        if isinstance(alert, NotAnAlert):
            await self._letters.not_an_alert(record, alert)
            self._give_up(record, "not_an_alert")
            return True
        delivery = await self._deliver(alert.alert_id, alert_event(alert, record.value, self._source), release)
        self._tally.retried += delivery.tries - 1
        if delivery.end == "interrupted":
            return False
        if delivery.end == "delivered":
            self._tally.delivered += 1
            return True
        await self._letters.undelivered(record, delivery)
        self._give_up(record, delivery.end)
        return True

    async def _deliver(self, identity: str, body: bytes, release: asyncio.Event) -> Delivery:
        async def wait(seconds: float, tries: int, answer: Answer) -> bool:
            log.warning("delivery_failed", alert_id=identity, tries=tries, answer=str(answer), wait_seconds=seconds)
            return await interrupted(release, seconds)

        return await deliver(
            lambda: self._request(identity, body),
            self._limits,
            fraction=random.random,
            clock=time.monotonic,
            wait=wait,
        )

    async def _request(self, identity: str, body: bytes) -> Answer:
        now_seconds = time.time()
        headers = signature_headers(self._receiver.key, identity, int(now_seconds), body)
        headers["Content-Type"] = CONTENT_TYPE
        try:
            async with self._session.post(
                self._receiver.url, data=body, headers=headers, allow_redirects=False
            ) as response:
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    await response.content.read(ANSWER_BYTES)
                return Answer(response.status, read_retry_after(response.headers.get("Retry-After"), now_seconds))
        except (aiohttp.ClientError, TimeoutError, OSError) as failed:
            # Its text may hold the address.
            return Answer(None, failure=type(failed).__name__)

    def _give_up(self, record: ConsumerRecord, reason: str) -> None:
        self._tally.dead_lettered += 1
        log.error("dead_lettered", reason=reason, topic=record.topic, partition=record.partition, offset=record.offset)


def webhook_session(timeout_seconds: float) -> aiohttp.ClientSession:
    """Return a session whose requests take so long at most; certificates are verified, cookies not kept."""
    return aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        # One request a partition is under way, never more.
        connector=aiohttp.TCPConnector(limit=0, ssl=ssl.create_default_context()),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": "riskstream"},
    )


async def forward_to_webhook(
    settings: Settings, group: str, receiver: Receiver, limits: Limits, stop: asyncio.Event
) -> Tally:
    """Forward alerts until `stop` is set, and return what was done; the topics are there.

    Raises aiokafka's KafkaError when the broker cannot be reached at the start, or does not take a dead letter.
    """
    tally = Tally()
    topic = settings.topic("alerts")
    consumer = group_consumer(settings, group, receiver.timeout_seconds + COMMIT_TIMEOUT_SECONDS)
    async with webhook_session(receiver.timeout_seconds) as session, ForwardDeadLetters(settings, group) as letters:
        try:
            await consumer.start()
            log.info("forwarding", topic=topic, group=group, receiver=shown_address(receiver.url))
            source = f"/{settings.application_id}/{topic}"
            forwarder = WebhookForwarder(receiver, limits, source, session, letters, tally)
            await OrderedDelivery(consumer, forwarder.handle).run(topic, stop)
        finally:
            await consumer.stop()
    log.info("forwarding_stopped", **vars(tally))
    return tally
