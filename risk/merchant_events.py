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

from risk.block_layout import (
    ASCII,
    CAUGHT_UP,
    HEADER_WORDS,
    LABELS,
    MALFORMED,
    Texts,
    read_headers,
    write_blocks,
)
from risk.byte_slices import BytesColumn, TextColumn, cut, read_only
from risk.message_pack_blocks import MessagePackBlock, decode_message_pack

Role = Literal["transactions", "labels"]
Source = tuple[Role, int]
"""A source of merchant events: which stream, and which of its partitions."""

TRANSACTION, FRAUD, CLEARANCE = 0, 1, 2
"""Kinds of rows, as `risk.merchant_profile` takes them."""


class Block(msgspec.Struct, frozen=True, gc=False):
    """Rows of one source for one merchant partition: the bytes that `risk.block_layout` tells of, and their header.

    `count` is how many rows there are, `width` how many features a transaction has; the first and the last offset are
    -1 where there are no rows.
    """

    value: bytes
    role: Role
    partition: int
    caught_up: bool
    clock_ns: int
    count: int
    width: int
    first_offset: int
    last_offset: int

    @property
    def source(self) -> Source:
        """The source that the rows come from."""
        return (self.role, self.partition)

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Each row's offset in its source, int64[n]."""
        return np.frombuffer(self.value, "<i8", self.count, 8 * HEADER_WORDS)

    @property
    def order_time_ns(self) -> NDArray[np.int64]:
        """The greatest event time that the source had shown by each row, int64[n]; it never falls."""
        return np.frombuffer(self.value, "<i8", self.count, 8 * (HEADER_WORDS + self.count))

    @property
    def event_time_ns(self) -> NDArray[np.int64]:
        """Each row's event time, int64[n]: of a label, when it was known."""
        return np.frombuffer(self.value, "<i8", self.count, 8 * (HEADER_WORDS + 2 * self.count))

    @property
    def transaction_time_ns(self) -> NDArray[np.int64]:
        """The event time of the transaction that a row is, or is about, int64[n]."""
        if self.role == "transactions":
            return self.event_time_ns
        return np.frombuffer(self.value, "<i8", self.count, 8 * (HEADER_WORDS + 3 * self.count))

    @property
    def features(self) -> NDArray[np.float64]:
        """The customer features of transactions, float64[n, F]; labels have none."""
        at = 8 * (HEADER_WORDS + 3 * self.count)
        flat = np.frombuffer(self.value, "<f8", self.count * self.width, at)
        return flat.reshape(self.count, self.width)

    @property
    def kinds(self) -> NDArray[np.uint8]:
        """Each row's kind, uint8[n]."""
        if self.role == "transactions":
            return np.full(self.count, TRANSACTION, dtype=np.uint8)
        return np.frombuffer(self.value, np.uint8, self.count, self._ends_at + 12 * self.count)

    @property
    def transaction_id(self) -> TextColumn:
        """The identifier of the transaction that each row is, or is about."""
        return self._texts(0)

    @property
    def customer_id(self) -> TextColumn:
        """The customer's identifier."""
        return self._texts(1)

    @property
    def merchant_id(self) -> TextColumn:
        """The merchant's identifier."""
        return self._texts(2)

    def __len__(self) -> int:
        return self.count

    @property
    def _ends_at(self) -> int:
        columns = 4 if self.role == "labels" else 3 + self.width
        return 8 * (HEADER_WORDS + columns * self.count)

    def _texts(self, column: int) -> TextColumn:
        start = self._ends_at + (13 if self.role == "labels" else 12) * self.count
        ends = start + np.frombuffer(self.value, "<u4", 3 * self.count, self._ends_at).astype(np.int64)
        starts = np.concatenate(([start], ends))
        own = slice(column * self.count, (column + 1) * self.count)
        return TextColumn(np.frombuffer(self.value, np.uint8), starts[own], ends[own])


class MerchantColumns(msgspec.Struct, frozen=True, gc=False):
    """Rows of one source, column by column, as `Block` has them, each C-contiguous."""

    offsets: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    order_time_ns: NDArray[np.int64]
    event_time_ns: NDArray[np.int64]
    transaction_time_ns: NDArray[np.int64]
    features: NDArray[np.float64]
    transaction_id: TextColumn
    customer_id: TextColumn
    merchant_id: TextColumn


def encode_blocks(
    source: Source,
    columns: MerchantColumns,
    rows: NDArray[np.int64],
    piece_ends: NDArray[np.int64],
    *,
    caught_up: NDArray[np.bool_],
    clock_ns: NDArray[np.int64],
) -> list[bytes]:
    """Return blocks of a source: block i has the rows `rows[piece_ends[i - 1]:piece_ends[i]]` of the columns.

    Each has its own `caught_up` and `clock_ns`, bool and int64 [pieces].
    """
    role, partition = source
    data, ends = write_blocks(
        rows,
        piece_ends,
        caught_up * CAUGHT_UP + (LABELS if role == "labels" else 0),
        clock_ns,
        partition,
        columns.offsets,
        columns.order_time_ns,
        columns.event_time_ns,
        columns.transaction_time_ns,
        columns.kinds,
        columns.features,
        _layout_texts(columns.transaction_id),
        _layout_texts(columns.customer_id),
        _layout_texts(columns.merchant_id),
    )
    return cut(data.tobytes(), ends)


def _layout_texts(texts: TextColumn) -> Texts:
    return read_only(texts.data), texts.starts, texts.ends


def encode_block(source: Source, columns: MerchantColumns, *, caught_up: bool, clock_ns: int) -> bytes:
    """Return one block of all rows of the columns."""
    count = len(columns.offsets)
    (value,) = encode_blocks(
        source,
        columns,
        np.arange(count),
        np.array([count]),
        caught_up=np.array([caught_up]),
        clock_ns=np.array([clock_ns]),
    )
    return value


def decode_blocks(values: BytesColumn) -> list[Block]:
    """Return the blocks of records; raises msgspec.DecodeError for anything that `encode_block` did not make.

    It takes blocks of the form before this one, too.
    """
    found, headers = read_headers(read_only(values.data), values.starts, values.ends)
    blocks = []
    for value, kind, (flags, *header) in zip(values, found.tolist(), headers.tolist(), strict=True):
        if kind == MALFORMED:
            blocks.append(_from_message_pack(value or b""))
            continue
        role: Role = "labels" if flags & LABELS else "transactions"
        assert value is not None
        partition, clock_ns, count, width, first_offset, last_offset = header
        caught_up = flags & CAUGHT_UP != 0
        block = Block(value, role, partition, caught_up, clock_ns, count, width, first_offset, last_offset)
        if kind != ASCII:
            _check_texts(block)
        blocks.append(block)
    return blocks


def decode_block(value: bytes) -> Block:
    """Return the block of a record; see `decode_blocks`.

    >>> decode_block(b"ME")
    Traceback (most recent call last):
    ...
    msgspec.DecodeError: not a block of merchant events
    """
    (block,) = decode_blocks(BytesColumn.of([value]))
    return block


def _check_texts(block: Block) -> None:
    try:
        for texts in (block.transaction_id, block.customer_id, block.merchant_id):
            list(texts)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"a block of merchant events holds a text that is not UTF-8: {error}") from error


def _from_message_pack(value: bytes) -> Block:
    try:
        old = decode_message_pack(value)
    except msgspec.DecodeError as error:
        raise msgspec.DecodeError("not a block of merchant events") from error
    return decode_block(
        encode_block((old.role, old.partition), _columns_of(old), caught_up=old.caught_up, clock_ns=old.clock_ns)
    )


def _columns_of(old: MessagePackBlock) -> MerchantColumns:
    count = len(old.kinds)
    return MerchantColumns(
        offsets=_numbers(old.offsets),
        kinds=np.frombuffer(old.kinds, dtype=np.uint8).copy(),
        order_time_ns=_numbers(old.order_time_ns),
        event_time_ns=_numbers(old.event_time_ns),
        transaction_time_ns=_numbers(old.transaction_time_ns),
        features=np.frombuffer(old.features, dtype="<f8").reshape(count, -1 if count else 0).copy(),
        transaction_id=TextColumn.of(old.transaction_id),
        customer_id=TextColumn.of(old.customer_id),
        merchant_id=TextColumn.of(old.merchant_id),
    )


def _numbers(column: bytes) -> NDArray[np.int64]:
    # Copies can be written to, as what the hops compute: for another type the compiled loops would compile anew.
    return int64_column(column).copy()


def int64_column(column: bytes | NDArray[np.int64]) -> NDArray[np.int64]:
    """View a column of a block as int64[n].

    >>> int64_column(np.array([1, 2]).tobytes()).tolist()
    [1, 2]
    """
    return np.frombuffer(column, dtype="<i8")
