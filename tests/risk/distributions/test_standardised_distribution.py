import math

import msgspec
import numpy as np
import pytest
from arch.univariate.distribution import Normal, SkewStudent, StudentsT
from hypothesis import given
from hypothesis import strategies as st

from risk.distributions.standardised_distribution import (
    StandardisedDistribution,
    standardised_cdf,
    standardised_quantile,
    standardised_shortfall,
)

shapes = st.tuples(st.floats(2.06, 300.0), st.floats(-0.95, 0.95))
probabilities = st.floats(1e-4, 1.0 - 1e-4)


@given(shapes, probabilities)
def test_the_skewed_t_is_that_of_arch(shape: tuple[float, float], probability: float) -> None:
    """Quantile, probability and expected shortfall agree with arch to ten digits."""
    z = float(SkewStudent().ppf(probability, shape))
    assert standardised_quantile(probability, *shape) == pytest.approx(z, rel=1e-10, abs=1e-10)
    assert standardised_cdf(z, *shape) == pytest.approx(SkewStudent().cdf(z, shape), abs=1e-10)
    shortfall = -SkewStudent().partial_moment(1, z, shape) / probability
    assert standardised_shortfall(probability, *shape) == pytest.approx(shortfall, rel=1e-10, abs=1e-10)


@given(st.floats(2.06, 300.0), probabilities)
def test_the_t_is_that_of_arch(degrees_of_freedom: float, probability: float) -> None:
    """Without skew it is arch's standardised t."""
    shape, peer = (degrees_of_freedom, 0.0), (degrees_of_freedom,)
    z = float(StudentsT().ppf(probability, peer))
    assert standardised_quantile(probability, *shape) == pytest.approx(z, rel=1e-10, abs=1e-10)
    assert standardised_cdf(z, *shape) == pytest.approx(StudentsT().cdf(z, peer), abs=1e-10)
    shortfall = -StudentsT().partial_moment(1, z, peer) / probability
    assert standardised_shortfall(probability, *shape) == pytest.approx(shortfall, rel=1e-10, abs=1e-10)


@given(probabilities)
def test_infinite_freedom_is_the_normal_of_arch(probability: float) -> None:
    """With infinitely many degrees of freedom it is arch's standard normal."""
    z = float(Normal().ppf(probability))
    assert standardised_quantile(probability, math.inf, 0.0) == pytest.approx(z, rel=1e-10, abs=1e-10)
    assert standardised_cdf(z, math.inf, 0.0) == pytest.approx(Normal().cdf(z), abs=1e-10)
    shortfall = -Normal().partial_moment(1, z) / probability
    assert standardised_shortfall(probability, math.inf, 0.0) == pytest.approx(shortfall, rel=1e-10, abs=1e-10)


@given(shapes)
def test_the_opposite_skew_mirrors_the_distribution(shape: tuple[float, float]) -> None:
    """The lowest 30 % weigh as much as the highest 30 % of the opposite skew, and so as the rest, the mean being 0."""
    below = 0.3 * standardised_shortfall(0.3, *shape)
    mirrored = 0.7 * standardised_shortfall(0.7, shape[0], -shape[1])
    assert below == pytest.approx(mirrored, rel=1e-9)


@given(shapes, probabilities, probabilities)
def test_quantiles_rise_with_the_probability(shape: tuple[float, float], one: float, other: float) -> None:
    """A greater probability never has a lower quantile."""
    low, high = sorted((one, other))
    assert standardised_quantile(low, *shape) <= standardised_quantile(high, *shape) + 1e-12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("normal", 5.0, 0.0), "a normal distribution has no degrees_of_freedom and no skew"),
        (("normal", None, 0.1), "a normal distribution has no degrees_of_freedom and no skew"),
        (("t", None, 0.0), "degrees_of_freedom None of a t distribution: give them above 2"),
        (("t", 2.0, 0.0), "degrees_of_freedom 2.0 of a t distribution: give them above 2"),
        (("skewt", math.nan, 0.0), "degrees_of_freedom nan of a skewt distribution: give them above 2"),
        (("t", 5.0, 0.1), 'skew 0.1 of a t distribution: name it "skewt"'),
        (("skewt", 5.0, 1.0), "skew 1.0 of a skewt distribution: give it between -1 and 1"),
    ],
)
def test_other_distributions_are_refused(arguments: tuple[str, float | None, float], message: str) -> None:
    """What is no distribution of mean 0 and variance 1 is refused, saying what is wrong and what would be right."""
    with pytest.raises(ValueError, match=message):
        StandardisedDistribution(*arguments)  # type: ignore[arg-type]  # a wrong kind is not tried here


def test_a_distribution_survives_its_stored_form() -> None:
    """Written as JSON and read again it is the same, and an unknown field is refused."""
    one = StandardisedDistribution("skewt", 5.5, -0.2)
    assert msgspec.json.decode(msgspec.json.encode(one), type=StandardisedDistribution) == one
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(b'{"kind": "normal", "tail": 1}', type=StandardisedDistribution)


def test_simulated_residuals_have_mean_0_and_variance_1() -> None:
    """Quantiles of a fine grid average to 0, and their squares to 1."""
    grid = (np.arange(20_000) + 0.5) / 20_000
    z = np.array([standardised_quantile(one, 12.0, -0.4) for one in grid.tolist()])
    assert z.mean() == pytest.approx(0.0, abs=1e-4)
    assert z.var() == pytest.approx(1.0, abs=1e-3)
