import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.value_at_risk.sorted_window import insert_sorted


@given(st.lists(st.one_of(st.floats(-3.0, 3.0), st.sampled_from([0.0, 1.0])), max_size=40), st.integers(1, 9))
def test_the_window_is_the_last_values_in_order(values: list[float], width: int) -> None:
    """After every value the window holds the last of them, sorted, each with its number."""
    ascending, arrivals = np.zeros(width), np.zeros(width, dtype=np.uint16)
    for count, value in enumerate(values):
        kept = insert_sorted(ascending, arrivals, count, value)
        last = values[max(0, count + 1 - width) : count + 1]
        assert kept == len(last)
        assert ascending[:kept].tolist() == sorted(last)
        for number in range(max(0, count + 1 - width), count + 1):
            (at,) = np.flatnonzero(arrivals[:kept] == number % width)
            assert ascending[at] == values[number]
