"""What goes from the first hop to the second: blocks of rows keyed by merchant, and how far their source has come.

A block holds rows of one source (a partition of transactions or of labels) for one merchant partition, in the source's
order, in columns. It also tells the reader two things of its source: no later row will be ordered before `clock_ns`,
and whether the source had been read to its end. From these alone the reader decides what it may release, so the order
in which merchants see their events is a function of the log.
"""

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Role = Literal["transactions", "labels"]
Source = tuple[Role, int]
"""A source of merchant events: which stream, and which of its partitions."""

TRANSACTION, FRAUD, CLEARANCE = 0, 1, 2
"""Kinds of rows, as `risk.merchant_profile` takes them."""


class Block(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Rows of one source for one merchant partition; numbers are little-endian arrays as bytes.

    `order_time_ns` never falls within a source: it is the greatest event time that the source had shown by then.
    `features` holds the customer features of transactions, row by row; labels have none.
    """

    role: Role
    partition: int
    caught_up: bool
    clock_ns: int
    offsets: bytes
    kinds: bytes
    order_time_ns: bytes
    event_time_ns: bytes
    transaction_time_ns: bytes
    features: bytes
    transaction_id: list[str]
    customer_id: list[str]
    merchant_id: list[str]

    @property
    def source(self) -> Source:
        """The source that the rows come from."""
        return (self.role, self.partition)

    @property
    def ranks(self) -> NDArray[np.uint8]:
        """0 for labels and 1 for transactions: of an instant, labels come first."""
        return np.equal(np.frombuffer(self.kinds, dtype=np.uint8), TRANSACTION).astype(np.uint8)

    @property
    def event_ids(self) -> list[str]:
        """The transactions' identifiers, which order the rows of an instant."""
        return self.transaction_id

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


def int64_column(column: bytes) -> NDArray[np.int64]:
    """View a column of a block as int64[n].

    >>> int64_column(np.array([1, 2]).tobytes()).tolist()
    [1, 2]
    """
    return np.frombuffer(column, dtype="<i8")
