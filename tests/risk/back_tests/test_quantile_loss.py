import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from risk.back_tests.quantile_loss import mean_quantile_loss

numbers = st.floats(-5.0, 5.0)
levels = st.sampled_from([0.95, 0.975, 0.99])


@given(st.lists(st.tuples(numbers, numbers), min_size=1, max_size=50), levels)
def test_it_is_the_pinball_loss_of_scikit_learn(bars: list[tuple[float, float]], level: float) -> None:
    """The mean quantile loss is scikit-learn's."""
    losses, values = np.array(bars).T.copy()
    expected = mean_pinball_loss(losses, values, alpha=level)
    assert mean_quantile_loss(losses, values, level) == pytest.approx(expected, rel=1e-10, abs=1e-12)


@given(levels)
def test_the_quantile_itself_has_the_lowest(level: float) -> None:
    """Of all constant values at risk, none has a lower loss than the quantile of the losses."""
    losses = np.random.default_rng(2).normal(size=400)
    best = mean_quantile_loss(losses, np.full(400, np.quantile(losses, level)), level)
    for value in np.linspace(-1.0, 4.0, 60):
        assert mean_quantile_loss(losses, np.full(400, value), level) >= best - 1e-12


def test_without_bars_it_is_nothing() -> None:
    """The mean over no bars is 0."""
    assert mean_quantile_loss(np.zeros(0), np.zeros(0), 0.99) == 0.0
