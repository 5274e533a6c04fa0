import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.forecasts.running_deviation import START_CHANGES, running_deviations

changes = st.lists(st.one_of(st.floats(-1e4, 1e4), st.just(0.0)), min_size=1, max_size=80)


@given(changes, st.floats(1e-3, 1e3), st.floats(0.5, 0.999))
def test_the_deviation_is_that_of_weights_written_out(history: list[float], start: float, decay: float) -> None:
    """Each deviation is the root of the weighted mean square, every weight a power of the decay."""
    found = running_deviations(np.array(history), start, decay)
    for last in range(1, len(history) + 1):
        weights = [decay ** (last - 1 - at) for at in range(last)]
        first = START_CHANGES * decay**last
        square = first * start**2 + math.fsum(w * x * x for w, x in zip(weights, history[:last], strict=True))
        expected = math.sqrt(square / (first + math.fsum(weights)))
        assert math.isclose(found[last - 1], max(expected, 1e-6 * start), rel_tol=1e-9)


@given(changes, st.floats(1e-3, 1e3))
def test_a_scaled_change_is_bounded(history: list[float], start: float) -> None:
    """A change counts in its own deviation, so that none exceeds the root of all the weights."""
    scaled = np.array(history) / running_deviations(np.array(history), start, 0.97)
    assert np.all(np.abs(scaled) <= math.sqrt(START_CHANGES + 1.0 / 0.03))


@given(changes, changes)
def test_no_deviation_knows_what_comes_after(before: list[float], after: list[float]) -> None:
    """Whatever follows, the deviations so far are the same bit for bit."""
    whole = running_deviations(np.array(before + after), 1.0, 0.97)
    assert whole[: len(before)].tobytes() == running_deviations(np.array(before), 1.0, 0.97).tobytes()
