"""The form that blocks of merchant events had before `risk.block_layout`; they may still lie in the log."""

from typing import Literal

import msgspec


class MessagePackBlock(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Rows of one source; numbers are little-endian arrays as bytes, as `risk.merchant_events.Block` has them."""

    role: Literal["transactions", "labels"]
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


_decoder = msgspec.msgpack.Decoder(MessagePackBlock)


def decode_message_pack(value: bytes) -> MessagePackBlock:
    """Return the block of a record; raises msgspec.DecodeError for anything else.

    >>> decode_message_pack(b"ME")
    Traceback (most recent call last):
    ...
    msgspec.ValidationError: Expected `array`, got `int`
    """
    try:
        block = _decoder.decode(value)
    except UnicodeDecodeError as error:  # which msgspec lets through as it is
        raise msgspec.DecodeError(str(error)) from error
    count = len(block.kinds)
    numbers = (block.offsets, block.order_time_ns, block.event_time_ns, block.transaction_time_ns)
    texts = (block.transaction_id, block.customer_id, block.merchant_id)
    if {*map(len, numbers)} != {8 * count} or {*map(len, texts)} != {count} or len(block.features) % (8 * count or 1):
        raise msgspec.DecodeError(f"columns of a block of {count} rows have other lengths")
    return block
