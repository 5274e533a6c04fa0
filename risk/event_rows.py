"""Rows of merchant events, gathered from the blocks they came in."""

import numpy as np
from numpy.typing import NDArray

from risk.customer_profile import CUSTOMER_FEATURES
from risk.merchant_events import Block, int64_column
from schemas.source import Source


class EventRows:
    """Rows that lie scattered over blocks, gathered column by column: row `row[i]` of `blocks[block[i]]`."""

    def __init__(self, blocks: list[Block], block: NDArray[np.int64], row: NDArray[np.int64]) -> None:
        self.blocks = blocks
        self._block = block
        self._row = row
        lengths = np.array([len(one) for one in blocks], dtype=np.int64)
        self._flat = (np.cumsum(lengths) - lengths)[block] + row

    def where(self, chosen: NDArray[np.int64]) -> "EventRows":
        """Return some of the rows."""
        return EventRows(self.blocks, self._block[chosen], self._row[chosen])

    def int64(self, column: str) -> NDArray[np.int64]:
        """Return a column of numbers, int64[n]."""
        joined = int64_column(b"".join(getattr(block, column) for block in self.blocks))
        gathered: NDArray[np.int64] = joined[self._flat]
        return gathered

    def kinds(self) -> NDArray[np.uint8]:
        """Return each row's kind, uint8[n]."""
        joined = np.frombuffer(b"".join(block.kinds for block in self.blocks), dtype=np.uint8)
        gathered: NDArray[np.uint8] = joined[self._flat]
        return gathered

    def texts(self, columns: list[list[str]]) -> list[str]:
        """Return a column of text, given as the column of each block."""
        return [columns[at][row] for at, row in zip(self._block.tolist(), self._row.tolist(), strict=True)]

    def features(self) -> NDArray[np.float64]:
        """Return the customer features, float64[n, F]; only for rows that are transactions."""
        width = len(CUSTOMER_FEATURES)
        # Blocks of labels have no features: rows are counted over the blocks of transactions alone.
        lengths = np.array([len(one) if one.features else 0 for one in self.blocks], dtype=np.int64)
        flat = (np.cumsum(lengths) - lengths)[self._block] + self._row
        joined = np.frombuffer(b"".join(block.features for block in self.blocks), dtype="<f8")
        gathered: NDArray[np.float64] = joined.reshape(-1, width)[flat]
        return gathered

    def identities(self, topic: str) -> list[tuple[str, str, Source]]:
        """Return the event's id, the customer's id and the place in the log of each transaction."""
        offsets = self.int64("offsets").tolist()
        found = []
        for at, (number, row) in enumerate(zip(self._block.tolist(), self._row.tolist(), strict=True)):
            block = self.blocks[number]
            source = Source(topic=topic, partition=block.partition, offset=offsets[at])
            found.append((block.transaction_id[row], block.customer_id[row], source))
        return found
