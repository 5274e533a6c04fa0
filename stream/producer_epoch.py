"""Producer epochs: how the broker keeps a partition's former owner from writing.

Kafka numbers the owners of a transactional id, and a partition refuses whoever comes with a lower number than it has
seen. A transaction leaves that number behind on each of its partitions, also when nothing was written and it is
aborted, as a marker that no reader sees. So a new owner marks its output partitions once, and from then on writes to
them outside of any transaction, under its number: readers get every record at once, and a former owner, were it only
asleep, gets an error for each of its own. What this leans on inside aiokafka is here alone, and
`tests/e2e/test_producer_epoch.py` pins it on both brokers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import KafkaError, NodeNotReadyError


class FencedError(RuntimeError):
    """Another worker owns the partition now; what this one wanted to write was refused by the broker."""


@dataclass(frozen=True, slots=True)
class ProducerEpoch:
    """An owner's number, under the id that the broker gave to the transactional id."""

    producer_id: int
    epoch: int


async def mark(producer: AIOKafkaProducer, outputs: Iterable[KafkaPartition], barrier: KafkaPartition) -> ProducerEpoch:
    """Mark the output partitions with the epoch of a started transactional producer, and return that.

    On return no earlier epoch can write to them any more. The broker writes its markers after it has answered; since
    it takes up a producer's next transaction only when they are written, an empty one with `barrier` waits for that.
    Raises aiokafka's ProducerFenced when the producer itself has been superseded.
    """
    transactions = producer._txn_manager
    for partitions in (tuple(outputs), (barrier,)):
        await producer.begin_transaction()
        for at in partitions:
            transactions.maybe_add_partition_to_txn(at)
        await producer.abort_transaction()
    return ProducerEpoch(transactions.producer_id, transactions.producer_epoch)


async def commit_again(producer: AIOKafkaProducer, at: KafkaPartition) -> None:
    """Commit an empty transaction on a partition to which a producer has written transactions before.

    Should the broker have acknowledged the last one and lost its marker (ADR 14), this one's makes up for it.
    Raises aiokafka's ProducerFenced when the producer has been superseded.
    """
    await producer.begin_transaction()
    producer._txn_manager.maybe_add_partition_to_txn(at)
    await producer.commit_transaction()


def write_under(epoch: ProducerEpoch, producer: AIOKafkaProducer) -> None:
    """Make an idempotent producer that is not started yet write under an epoch, in place of an id of its own."""
    producer._txn_manager.set_pid_and_epoch(epoch.producer_id, epoch.epoch)


def outlive_coordinators(producer: AIOKafkaProducer) -> None:
    """Make a transactional producer ask again for its coordinator when the broker that it has just asked dies.

    aiokafka's sender waits out a broker to which it cannot connect, and ends for good on a connection that closes.
    """
    look_up = producer.client.coordinator_lookup

    async def ask_again(*which: Any) -> Any:
        try:
            return await look_up(*which)
        except KafkaError as error:
            if not error.retriable:
                raise
            raise NodeNotReadyError from error

    producer.client.coordinator_lookup = ask_again


def take_note(producer: AIOKafkaProducer) -> None:
    """Take note that a transactional producer was superseded, of which it would complain once more when it is gone."""
    waiter = producer._txn_manager.wait_for_transaction_end()
    if waiter is not None and waiter.done() and not waiter.cancelled():
        waiter.exception()
