import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.forecasts.key_rounds import rounds


@given(st.lists(st.integers(0, 5), max_size=40))
def test_rounds_take_each_row_once_and_in_order(rows: list[int]) -> None:
    """Every position is in one round, no round has a row twice, and a row's positions come in their order."""
    found = rounds(np.array(rows, dtype=np.int64))
    assert sorted(at for one in found for at in one.tolist()) == list(range(len(rows)))
    for one in found:
        assert len({rows[at] for at in one.tolist()}) == len(one)
    for row in set(rows):
        order = [at for one in found for at in one.tolist() if rows[at] == row]
        assert order == sorted(order)
