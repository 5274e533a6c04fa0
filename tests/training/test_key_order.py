import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.byte_slices import TextColumn
from training import key_order
from training.key_order import KeyOrder


@pytest.mark.parametrize("groups", [1, 2, 64])
@given(keys=st.lists(st.sampled_from(["", "a", "b", "é", "a" * 64]), max_size=50))
def test_every_row_has_a_place_and_rows_of_a_key_stay_in_order(groups: int, keys: list[str]) -> None:
    """Nothing is lost; rows of one key keep their order, and columns of any type go with their rows."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(key_order, "GROUPS", groups)
        order = KeyOrder.of(TextColumn.of(keys))
    rows = order.arrange(np.arange(len(keys)))
    assert sorted(rows.tolist()) == list(range(len(keys)))
    assert list(order.arrange_texts(TextColumn.of(keys))) == [keys[row] for row in rows]
    assert order.arrange(np.arange(len(keys), dtype=np.float64)).tolist() == rows.tolist()
    for key in set(keys):
        own = [row for row in rows.tolist() if keys[row] == key]
        assert own == sorted(own)
    if groups == 1:
        assert rows.tolist() == list(range(len(keys)))


def test_rows_of_a_group_lie_together() -> None:
    """Of many keys, a 64th are in a group: no group has more than twice its share."""
    keys = [f"card-{at:05d}" for at in range(20_000)]
    rows = KeyOrder.of(TextColumn.of(keys)).arrange(np.arange(len(keys)))
    # A key's rows are in the order given, so that a fall shows where a group ends.
    ends = np.flatnonzero(np.diff(rows) < 0)
    assert len(ends) == key_order.GROUPS - 1
    assert np.diff(ends).max() < 2 * len(keys) / key_order.GROUPS
