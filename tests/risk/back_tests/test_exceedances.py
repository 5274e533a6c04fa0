import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from risk.back_tests.exceedances import exceedances

losses = st.floats(-5.0, 5.0).map(lambda one: round(one, 1))


@given(st.lists(st.tuples(losses, losses), max_size=30))
def test_only_greater_losses_exceed(bars: list[tuple[float, float]]) -> None:
    """A bar exceeds where its loss is greater than its value at risk, and not where both are equal."""
    columns = np.array(bars).reshape(-1, 2)
    assert exceedances(columns[:, 0], columns[:, 1]).tolist() == [loss > value for loss, value in bars]
