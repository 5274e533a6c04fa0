"""Writes what a forwarder gives up to the topic `forward-deadletter`."""

from aiokafka import AIOKafkaProducer, ConsumerRecord

from schemas.encoding import encode
from schemas.forward_dead_letter import ForwardDeadLetter, GivenUp
from schemas.source import Source
from stream.forward.alert_message import NotAnAlert
from stream.forward.delivery import Delivery
from stream.settings import Settings
from stream.topics import DEAD_LETTER_BYTES

TOPIC = "forward-deadletter"


class ForwardDeadLetters:
    """Appends letters of one group, each in the partition of its message; use it as an async context.

    >>> letters = ForwardDeadLetters(Settings(), "riskstream-forward-webhook")
    """

    def __init__(self, settings: Settings, group: str) -> None:
        self._settings = settings
        self._group = group
        self._producer: AIOKafkaProducer

    async def __aenter__(self) -> "ForwardDeadLetters":
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.broker, enable_idempotence=True, max_request_size=DEAD_LETTER_BYTES
        )
        await self._producer.start()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._producer.stop()

    async def not_an_alert(self, record: ConsumerRecord, found: NotAnAlert) -> None:
        """Write the letter of a message that is no alert, and return once the broker has it."""
        await self._write(record, "not_an_alert", found.detail, tries=0, status=None)

    async def undelivered(self, record: ConsumerRecord, delivery: Delivery) -> None:
        """Write the letter of an alert that was refused or given up, and return once the broker has it."""
        reason: GivenUp = "refused" if delivery.end == "refused" else "gave_up"
        detail = f"the receiver gave {delivery.answer} at the last of {delivery.tries} tries"
        await self._write(record, reason, detail, tries=delivery.tries, status=delivery.answer.status)

    async def _write(
        self, record: ConsumerRecord, reason: GivenUp, detail: str, *, tries: int, status: int | None
    ) -> None:
        letter = ForwardDeadLetter(
            schema_version=1,
            source=Source(record.topic, record.partition, record.offset),
            group=self._group,
            reason=reason,
            detail=detail,
            tries=tries,
            status=status,
            key=record.key,
            payload=record.value or b"",
        )
        topic = self._settings.topic(TOPIC)
        await self._producer.send_and_wait(topic, encode(letter), key=record.key, partition=record.partition)
