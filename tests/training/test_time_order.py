import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.byte_slices import TextColumn
from risk.event_order import merge_order
from training.time_order import time_order

# Few characters, of one to four bytes and the one that pads, so that texts share beginnings of any length.
TEXTS = st.text(st.sampled_from(["a", "b", "\0", "é", "€", "\U0001f600"]), max_size=20)


@given(st.lists(st.tuples(st.integers(0, 3), TEXTS), max_size=40))
def test_the_order_is_that_of_pairs(events: list[tuple[int, str]]) -> None:
    """Rows go by (time, id), equal ones as they came, and as the second hop's merge has them."""
    time_ns = np.array([time for time, _ in events], dtype=np.int64)
    ids = [one for _, one in events]
    found = time_order(time_ns, TextColumn.of(ids)).tolist()
    assert found == sorted(range(len(events)), key=events.__getitem__)
    assert found == merge_order(time_ns, np.zeros(len(events), dtype=np.bool_), ids).tolist()
