import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.market.value_at_risk import Z_95, Z_99, loss_percent, shortfall_deviations, value_at_risk_percent

means = st.floats(-1.0, 1.0)
variances = st.floats(1e-6, 100.0)


def quantile(probability: str) -> float:
    """Return the standard normal quantile, by Newton's method on Abramowitz and Stegun's series 26.2.11."""
    with localcontext(prec=50):
        root_two_pi = (2 * Decimal("3.14159265358979323846264338327950288419716939937510582")).sqrt()
        z = Decimal(2)
        for _ in range(12):
            density = (-z * z / 2).exp() / root_two_pi
            term = total = z
            for odd in range(3, 400, 2):
                term = term * z * z / odd
                total += term
            z -= (Decimal("0.5") + density * total - Decimal(probability)) / density
        return float(z)


def test_the_quantiles_are_the_nearest_doubles() -> None:
    """Z_95 and Z_99 are the normal quantiles, found again to 50 digits."""
    assert [quantile("0.95"), quantile("0.99")] == [Z_95, Z_99]


@given(means, variances)
def test_the_value_at_risk_is_exceeded_with_its_probability(mean: float, variance: float) -> None:
    """The normal distribution function at the return of that loss is 1 %."""
    loss = value_at_risk_percent(mean, variance, Z_99)
    log_return = 100.0 * math.log1p(-loss / 100.0)
    probability = 0.5 * math.erfc((mean - log_return) / math.sqrt(2.0 * variance))
    assert probability == pytest.approx(0.01, rel=1e-6)


@given(means, variances, st.floats(-60.0, 60.0))
def test_loss_and_shortfall_tell_the_same_exceedances(mean: float, variance: float, log_return: float) -> None:
    """A bar loses more than the value at risk exactly when it falls short by more than the quantile."""
    margin = loss_percent(log_return) - value_at_risk_percent(mean, variance, Z_99)
    if abs(margin) > 1e-9:
        assert (shortfall_deviations(log_return, mean, variance) > Z_99) == (margin > 0.0)


def test_about_one_normal_return_in_a_hundred_exceeds() -> None:
    """Of 200,000 normal returns, 1 % and 5 % exceed the 99 % and 95 % values at risk."""
    returns = np.random.default_rng(7).normal(0.05, 1.3, 200_000)
    losses = np.array([loss_percent(one) for one in returns])
    for quantile_, expected in ((Z_99, 0.01), (Z_95, 0.05)):
        exceeded = np.mean(losses > value_at_risk_percent(0.05, 1.69, quantile_))
        assert exceeded == pytest.approx(expected, abs=4.0 * math.sqrt(expected * (1 - expected) / 200_000))


@given(st.floats(allow_nan=False))
def test_no_log_return_makes_an_infinite_loss(log_return: float) -> None:
    """However wild the return, the loss is finite and at most the whole price."""
    assert -1e46 < loss_percent(log_return) <= 100.0
