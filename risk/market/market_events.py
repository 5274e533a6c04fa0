"""What goes to the second hop of markets: blocks of bars, curves and positions, and how far their source has come.

A block holds rows of one source (a partition of ticks, of rates or of positions), in the source's order, in columns.
Bars and curves go to every partition, since a portfolio may hold any symbol; a position goes to its portfolio's. As in
`risk.merchant_events`, a block also tells that no later row will be ordered before `clock_ns`, and whether the source
had been read to its end, so that the order in which portfolios see the market is a function of the log.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from risk.merchant_events import int64_column

Role = Literal["ticks", "rates", "positions"]
Source = tuple[Role, int]
"""A source of market events: which stream, and which of its partitions."""

SYMBOL_POSITION, BOND_POSITION, CURVE, BAR = 0, 1, 2, 3
"""Kinds of rows. Of an instant, positions come first and bars last: a position is what the market's move finds."""

BAR_NUMBERS = 5
"""A bar's numbers: close, log return (percent), the variance that was in force and the next one (percent squared), and
the standardised residual."""


class Block(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Rows of one source; numbers are little-endian arrays as bytes.

    `order_time_ns` never falls within a source: it is the greatest event time that the source had shown by then. A
    row's event time is when it became known: that of the message which closed the bar or the curve.
    `key` is the symbol, the currency or the portfolio; `name` what a position is in: a symbol, or a bond's currency.
    `end_ns` is the end of a bar, the time of a curve or the maturity of a bond. Each row has `counts` of `numbers`:
    a bar `BAR_NUMBERS`, a curve its tenors in years and then its zero rates in percent, a position its quantity, and
    one in a bond its coupon in percent and how many are paid a year.
    """

    role: Role
    partition: int
    caught_up: bool
    clock_ns: int
    offsets: bytes
    kinds: bytes
    order_time_ns: bytes
    event_time_ns: bytes
    end_ns: bytes
    counts: bytes
    numbers: bytes
    key: list[str]
    name: list[str]

    @property
    def source(self) -> Source:
        """The source that the rows come from."""
        return (self.role, self.partition)

    @property
    def ranks(self) -> NDArray[np.uint8]:
        """The rows' kinds, which order the rows of an instant."""
        return np.frombuffer(self.kinds, dtype=np.uint8)

    @property
    def first_offset(self) -> int:
        """The first row's offset in its source; raises IndexError for a block without rows."""
        return int(int64_column(self.offsets)[0])

    @property
    def last_offset(self) -> int:
        """The last row's offset in its source; raises IndexError for a block without rows."""
        return int(int64_column(self.offsets)[-1])

    def __len__(self) -> int:
        return len(self.kinds)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Block)


def encode_block(block: Block) -> bytes:
    """Return the block as MessagePack."""
    return _encoder.encode(block)


def decode_block(value: bytes) -> Block:
    """Return the block of a record; raises msgspec.DecodeError for anything that `encode_block` did not make."""
    try:
        return _decoder.decode(value)
    except UnicodeDecodeError as error:  # which msgspec lets through as it is
        raise msgspec.DecodeError(str(error)) from error
