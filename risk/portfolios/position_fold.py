"""First hop of positions: keyed by portfolio -> rows of market events in the partition of their portfolio."""

from collections.abc import Iterable

import numpy as np

from risk.chunk import Chunk
from risk.dead_letters import reject
from risk.event_time import rows_where, split_future
from risk.first_hop import FirstHop
from risk.fold import Emitted
from risk.market.market_columns import position_columns
from risk.market.market_routing import MarketRouting
from risk.partitioner import partitions_of
from risk.portfolios.decode_positions import PositionColumns, decode_positions
from risk.portfolios.held_instruments import HeldInstruments, Instrument
from risk.rejection import Rejection

STATE_VERSION = 1
"""Goes up when the packed row changes."""


class PositionFold(FirstHop):
    """Forwards one partition of positions; see `risk.fold.Fold`.

    It knows what each portfolio holds, so that a position beyond the limits of `risk.portfolios.held_instruments` is
    refused where its bytes are. For that the topic of positions must be partitioned by Kafka's default partitioner, as
    that of market events is: a record that lies elsewhere is refused too.
    """

    state_version = f"positions-{STATE_VERSION}"

    _routing: MarketRouting

    def __init__(self, partition: int, *, partitions: int) -> None:
        self._partition, self._partitions = partition, partitions
        self._routing = MarketRouting("positions", partition, partitions)
        self._held = HeldInstruments()

    def __len__(self) -> int:
        return len(self._held)

    def advance(self, chunk: Chunk) -> Emitted:
        """Emit a block with the positions, and dead letters."""
        emitted = Emitted()
        chunk = self._unread(chunk)
        columns, rejections = decode_positions(chunk.keys, chunk.values)
        columns, future = split_future(columns, chunk)
        columns, refused = self._split_refused(columns)
        reject(emitted, chunk, rejections + future + refused)
        self._note(chunk)
        emitted.outputs += self._routing.outputs(chunk, position_columns(columns))
        emitted.counts = {"forwarded": len(columns.portfolio)}
        return emitted

    def _split_refused(self, columns: PositionColumns) -> tuple[PositionColumns, list[Rejection]]:
        home = partitions_of(columns.portfolio, self._partitions).tolist()
        terms = zip(
            columns.portfolio,
            columns.name,
            columns.maturity_ns.tolist(),
            columns.coupon_percent.tolist(),
            columns.frequency.tolist(),
            columns.quantity.tolist(),
            strict=True,
        )
        good, rejections = [], []
        for at, (portfolio, name, maturity_ns, coupon_percent, frequency, quantity) in enumerate(terms):
            index = int(columns.index[at])
            if home[at] != self._partition:
                detail = (
                    f"portfolio={portfolio!r}: belongs to partition {home[at]}, not {self._partition}; produce with"
                    " portfolio as the record's key and Kafka's default partitioner"
                )
                rejections.append(Rejection(index, "key_mismatch", detail))
                continue
            problem = self._held.take(portfolio, Instrument(name, maturity_ns, coupon_percent, frequency), quantity)
            if problem is None:
                good.append(at)
            else:
                rejections.append(Rejection(index, "too_many_instruments", problem))
        if rejections:
            columns = rows_where(columns, np.array(good, dtype=np.int64))
        return columns, rejections

    def take_changed(self) -> list[tuple[bytes, bytes]]:
        """Return what the portfolios hold whose instruments changed since the last call."""
        return self._held.take_changed()

    def restore(self, cut: bytes, rows: Iterable[tuple[bytes, bytes]]) -> None:
        """Take up a cut and what the portfolios hold."""
        self._restore_source(cut)
        self._held.load(rows)
