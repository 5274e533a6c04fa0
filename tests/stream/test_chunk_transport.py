import asyncio
from collections.abc import Mapping

from aiokafka.errors import IllegalStateError
from faust.types import TP

from stream.chunk_transport import ChunkConsumer

KEPT, TAKEN = TP("labels", 0), TP("labels", 1)


class RebalancedConsumer(ChunkConsumer):
    """Loses a partition, or all of them, while the committed offsets are asked for."""

    def __init__(self, left: set[TP]) -> None:
        self._assigned = {KEPT, TAKEN}
        self._left = left
        self._read_offset = {}
        self._committed_offset = {}

    def assignment(self) -> set[TP]:
        return self._assigned

    async def seek_to_committed(self) -> Mapping[TP, int]:
        before, self._assigned = self._assigned, self._left
        if before != self._assigned:
            raise IllegalStateError(f"No current assignment for partition {TAKEN}")
        return dict.fromkeys(self._assigned, 7)


def test_a_rebalance_amid_a_seek_leaves_what_is_kept_sought() -> None:
    """What the worker still has is sought by the new assignment, and nothing ends because of what it has not."""
    consumer = RebalancedConsumer(left={KEPT})
    asyncio.run(consumer.perform_seek())
    assert consumer._read_offset == {KEPT: 7}


def test_a_rebalance_that_takes_everything_leaves_nothing_to_seek() -> None:
    """The seek ends when no partition is left."""
    consumer = RebalancedConsumer(left=set())
    asyncio.run(consumer.perform_seek())
    assert consumer._read_offset == {}


class BusyConsumer(ChunkConsumer):
    """Has handed over two messages."""

    def __init__(self) -> None:
        self._unfinished = 2
        self._finished = asyncio.Event()


def test_the_next_fetch_waits_until_every_agent_is_done() -> None:
    """What was handed over is worked off first; the last agent to finish lets the next fetch go."""

    async def run() -> None:
        consumer = BusyConsumer()
        waiting = asyncio.create_task(consumer._let_agents_finish())
        await asyncio.sleep(0)
        consumer.finish()
        await asyncio.sleep(0)
        assert not waiting.done()
        consumer.finish()
        await asyncio.wait_for(waiting, 10.0)

    asyncio.run(run())


def test_an_agent_that_waits_itself_does_not_hold_up_others_for_long() -> None:
    """A message that is never finished lets the next fetch go too, and what finishes late does no harm."""

    async def run() -> None:
        consumer = BusyConsumer()
        await asyncio.wait_for(consumer._let_agents_finish(), 10.0)
        consumer.finish()
        await asyncio.wait_for(consumer._let_agents_finish(), 10.0)
        assert consumer._unfinished == 0

    asyncio.run(run())
