import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.value_at_risk.loss import loss_percent


@given(st.floats(-500.0, 500.0))
def test_the_loss_is_what_the_price_fell_by(log_return: float) -> None:
    """The price before, less the loss, is the price after."""
    assert 1.0 - loss_percent(log_return) / 100.0 == pytest.approx(math.exp(log_return / 100.0), rel=1e-12)


@given(st.floats(allow_nan=False))
def test_no_log_return_makes_an_infinite_loss(log_return: float) -> None:
    """However wild the return, the loss is finite and at most the whole price."""
    assert -1e46 < loss_percent(log_return) <= 100.0
