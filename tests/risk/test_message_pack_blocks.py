import msgspec
import numpy as np
import pytest

from risk.merchant_events import CLEARANCE, FRAUD, decode_block
from risk.message_pack_blocks import MessagePackBlock


def column(*numbers: int) -> bytes:
    """Return numbers as the old form has them."""
    return np.array(numbers, dtype="<i8").tobytes()


LABELS = MessagePackBlock(
    role="labels",
    partition=5,
    caught_up=True,
    clock_ns=-7,
    offsets=column(3, 9),
    kinds=bytes([FRAUD, CLEARANCE]),
    order_time_ns=column(20, 21),
    event_time_ns=column(20, 19),
    transaction_time_ns=column(1, -2),
    features=b"",
    transaction_id=["t1", "möbel"],
    customer_id=["c1", ""],
    merchant_id=["m1", "m2"],
)
NOTHING = MessagePackBlock("transactions", 0, False, 0, b"", b"", b"", b"", b"", b"", [], [], [])


def test_labels_of_the_form_before_are_read() -> None:
    """A block that an older worker left in the log has its rows, and what it tells of its source."""
    block = decode_block(msgspec.msgpack.encode(LABELS))
    assert (block.source, block.caught_up, block.clock_ns, len(block)) == (("labels", 5), True, -7, 2)
    assert (block.offsets.tolist(), block.kinds.tolist()) == ([3, 9], [FRAUD, CLEARANCE])
    assert (block.order_time_ns.tolist(), block.event_time_ns.tolist()) == ([20, 21], [20, 19])
    assert block.transaction_time_ns.tolist() == [1, -2]
    assert block.features.shape == (2, 0)
    texts = (block.transaction_id, block.customer_id, block.merchant_id)
    assert [list(one) for one in texts] == [["t1", "möbel"], ["c1", ""], ["m1", "m2"]]


def test_transactions_of_the_form_before_are_read() -> None:
    """A block of transactions has its features."""
    old = msgspec.structs.replace(
        LABELS, role="transactions", kinds=bytes(2), features=np.array([1.5, 2.0, -0.0, np.nan]).tobytes()
    )
    block = decode_block(msgspec.msgpack.encode(old))
    assert block.source == ("transactions", 5)
    assert block.features.tobytes() == old.features
    assert block.features.shape == (2, 2)


def test_an_empty_block_of_the_form_before_is_read() -> None:
    """A block without rows tells of its source."""
    block = decode_block(msgspec.msgpack.encode(NOTHING))
    assert (block.source, block.caught_up, block.clock_ns, len(block)) == (("transactions", 0), False, 0, 0)


@pytest.mark.parametrize("field", MessagePackBlock.__struct_fields__)
def test_a_column_of_another_type_is_refused(field: str) -> None:
    """A block in which any one field has another type, or that has a field too few, raises DecodeError."""
    fields = list(msgspec.structs.astuple(NOTHING))
    at = MessagePackBlock.__struct_fields__.index(field)
    for other in ([*fields[:at], 1.5, *fields[at + 1 :]], fields[:at]):
        with pytest.raises(msgspec.DecodeError):
            decode_block(msgspec.msgpack.encode(other))


@pytest.mark.parametrize("field", ["offsets", "order_time_ns", "event_time_ns", "transaction_time_ns", "features"])
def test_columns_of_other_lengths_are_refused(field: str) -> None:
    """A block one of whose columns is too short raises DecodeError."""
    whole = msgspec.structs.replace(LABELS, features=bytes(32))
    decode_block(msgspec.msgpack.encode(msgspec.structs.replace(whole, role="transactions")))
    torn = msgspec.structs.replace(whole, role="transactions", **{field: getattr(whole, field)[:-8]})
    with pytest.raises(msgspec.DecodeError):
        decode_block(msgspec.msgpack.encode(torn))


def test_text_that_is_not_utf8_is_refused() -> None:
    """A block whose text was damaged raises DecodeError."""
    with pytest.raises(msgspec.DecodeError):
        decode_block(msgspec.msgpack.encode(LABELS).replace(b"c1", b"\xffc"))
