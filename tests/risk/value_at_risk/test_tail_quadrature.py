import math

import pytest
from scipy import integrate
from scipy.stats import norm

from risk.distributions.standardised_distribution import standardised_quantile
from risk.value_at_risk.tail_quadrature import quadrature_tail, tail_nodes, tail_weights

SHAPES = [(math.inf, 0.0), (2.05, -0.8), (2.5, 0.0), (4.0, 0.6), (30.0, -0.2)]


def tail(level: float, shape: tuple[float, float], mean: float, deviation: float) -> tuple[float, float]:
    """Return (value at risk, expected shortfall) by the quadrature."""
    quantile = standardised_quantile(1.0 - level, *shape)
    return quadrature_tail(quantile, tail_nodes(level, *shape), tail_weights(), mean, deviation)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("level", [0.95, 0.99])
@pytest.mark.parametrize("deviation", [0.01, 1.0, 20.0, 500.0])
def test_the_shortfall_is_the_mean_of_the_quantiles(shape: tuple[float, float], level: float, deviation: float) -> None:
    """The expected shortfall is the integral of the losses over the probabilities of the tail, by another rule."""

    def loss(x: float) -> float:
        z = standardised_quantile((1.0 - level) * math.exp(-x), *shape)
        return -100.0 * math.expm1(max((0.05 + deviation * z) / 100.0, -700.0)) * math.exp(-x)

    expected, _ = integrate.quad(loss, 0.0, 50.0, epsabs=1e-13, epsrel=1e-12, limit=400)
    assert tail(level, shape, 0.05, deviation)[1] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("deviation", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("level", [0.95, 0.975, 0.99])
def test_the_normal_shortfall_is_its_formula(level: float, deviation: float) -> None:
    """For the normal it is the mean of a lognormal price below its quantile, which has a formula."""
    s, z = deviation / 100.0, norm.ppf(1.0 - level)
    expected = 100.0 * (1.0 - math.exp(0.001 + s * s / 2.0) * norm.cdf(z - s) / (1.0 - level))
    assert tail(level, (math.inf, 0.0), 0.1, deviation)[1] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("mean", [-0.3, 0.0, 0.2])
def test_the_normal_value_at_risk_is_the_one_known_before(mean: float) -> None:
    """The value at risk of the normal is the formula with its known quantile (Abramowitz and Stegun, 26.2.11)."""
    expected = -100.0 * math.expm1((mean - 2.326347874040841 * 1.3) / 100.0)
    assert tail(0.99, (math.inf, 0.0), mean, 1.3)[0] == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shortfall_is_never_below_its_value_at_risk(shape: tuple[float, float]) -> None:
    """Even without any deviation, and however great it is, the mean of the tail is not better than its edge."""
    for deviation in (0.0, 1e-12, 1e3, 1e150):
        value, shortfall = tail(0.99, shape, 0.3, deviation)
        assert value <= shortfall <= 100.0 + 1e-12
