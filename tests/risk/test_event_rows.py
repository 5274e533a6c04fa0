import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.byte_slices import TextColumn
from risk.customer_profile import CUSTOMER_FEATURES
from risk.event_rows import MerchantBlocks
from risk.merchant_events import CLEARANCE, TRANSACTION, Block, MerchantColumns, Role, decode_block, encode_block

WIDTH = len(CUSTOMER_FEATURES)
ids = st.text(st.sampled_from("aé\U0001f600"), max_size=64)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Draw a block of either role."""
    role: Role = draw(st.sampled_from(["transactions", "labels"]))
    count = draw(st.integers(0, 4))
    seed = np.random.default_rng(draw(st.integers(0, 99)))
    event_time_ns = seed.integers(-(2**63), 2**63, count)
    transactions = role == "transactions"
    columns = MerchantColumns(
        offsets=seed.integers(0, 2**63, count),
        kinds=np.full(count, TRANSACTION if transactions else CLEARANCE, dtype=np.uint8),
        order_time_ns=seed.integers(-(2**63), 2**63, count),
        event_time_ns=event_time_ns,
        transaction_time_ns=event_time_ns if transactions else seed.integers(-(2**63), 2**63, count),
        features=seed.normal(size=(count, WIDTH if transactions else 0)),
        transaction_id=TextColumn.of(draw(st.lists(ids, min_size=count, max_size=count))),
        customer_id=TextColumn.of(draw(st.lists(ids, min_size=count, max_size=count))),
        merchant_id=TextColumn.of(draw(st.lists(ids, min_size=count, max_size=count))),
    )
    return decode_block(encode_block((role, draw(st.integers(0, 9))), columns, caught_up=True, clock_ns=0))


@given(st.lists(blocks(), min_size=1, max_size=5), st.data())
def test_rows_are_gathered_from_where_they_lie(drawn: list[Block], data: st.DataObject) -> None:
    """Each column of the rows asked for is what their blocks hold there, row by row; labels have no features."""
    places = [(number, row) for number, block in enumerate(drawn) for row in range(len(block))]
    chosen = data.draw(st.lists(st.sampled_from(places), max_size=8)) if places else []
    block, row = (np.array([pair[at] for pair in chosen], dtype=np.int64) for at in range(2))
    joined = MerchantBlocks(drawn)
    found = joined.rows(block, row)
    assert len(found) == len(chosen)
    assert found.partition.tolist() == [drawn[number].partition for number, _ in chosen]
    for name in ("kinds", "offsets", "event_time_ns", "transaction_time_ns"):
        assert getattr(found, name).tolist() == [getattr(drawn[number], name)[at] for number, at in chosen]
    for name in ("transaction_id", "customer_id", "merchant_id"):
        assert list(getattr(found, name)) == [getattr(drawn[number], name)[at] for number, at in chosen]
    nothing = np.zeros(WIDTH).tobytes()
    features = [
        drawn[number].features[at].tobytes() if drawn[number].role == "transactions" else nothing
        for number, at in chosen
    ]
    assert [one.tobytes() for one in found.features] == features
    time_ns, rank = joined.order_keys(block, row)
    assert time_ns.tolist() == [drawn[number].order_time_ns[at] for number, at in chosen]
    assert rank.tolist() == [drawn[number].role == "transactions" for number, _ in chosen]
    assert joined.event_ids(block, row) == found.transaction_id
    some = data.draw(st.lists(st.integers(0, len(chosen) - 1))) if chosen else []
    part = found.where(np.array(some, dtype=np.int64))
    for name in found.__struct_fields__:
        assert [str(one) for one in getattr(part, name)] == [str(getattr(found, name)[at]) for at in some]


def test_features_of_another_release_are_refused() -> None:
    """Transactions with another number of features than this version computes are no rows of it."""
    nothing = np.empty(0, dtype=np.int64)
    none = TextColumn.of(())
    columns = MerchantColumns(
        nothing, nothing.astype(np.uint8), nothing, nothing, nothing, np.empty((0, WIDTH + 1)), none, none, none
    )
    block = decode_block(encode_block(("transactions", 0), columns, caught_up=True, clock_ns=0))
    with pytest.raises(ValueError, match=f"{WIDTH + 1} features"):
        MerchantBlocks([block]).rows(nothing, nothing)
