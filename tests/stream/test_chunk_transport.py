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
