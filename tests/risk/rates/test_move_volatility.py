import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rates.move_volatility import next_move_variance


@given(st.lists(st.floats(0.0, 1e4), min_size=1, max_size=80), st.floats(0.05, 0.99))
def test_the_variance_is_a_mean_until_the_decay_takes_over(squares: list[float], decay: float) -> None:
    """Up to 1 / (1 - lambda) moves the variance is their mean; from then on it is RiskMetrics' recursion."""
    variance, started = 0.0, 1.0 / (1.0 - decay)
    for moves, square in enumerate(squares):
        before, variance = variance, next_move_variance(variance, moves, square, decay)
        if moves + 1 <= started:
            assert variance == pytest.approx(np.mean(squares[: moves + 1]), rel=1e-9, abs=1e-9)
        else:
            assert variance == pytest.approx(decay * before + (1.0 - decay) * square, rel=1e-9, abs=1e-9)
