"""The distributions of standardised residuals, of mean 0 and variance 1: normal, Student's t, Hansen's skewed t.

The compiled functions take `(degrees_of_freedom, skew)`: infinitely many degrees of freedom stand for the normal, and a
skew of 0 for the symmetric t. The parameters are those of the library `arch`, called there nu, or eta and lambda.

Hansen, "Autoregressive conditional density estimation", International Economic Review 35 (1994), section 3.
"""

import math
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from numba import njit

from risk.distributions.normal_distribution import normal_cdf, normal_density, normal_quantile
from risk.distributions.student_t import student_cdf, student_mean_below, student_quantile


class StandardisedDistribution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A distribution of standardised residuals, as a bundle names it.

    `degrees_of_freedom`, above 2 so that there is a variance, belong to "t" and "skewt"; `skew`, between -1 and 1 and
    negative where losses reach further than gains, to "skewt" alone. Raises ValueError for anything else.

    >>> StandardisedDistribution("t", 5.0).shape()
    (5.0, 0.0)
    >>> StandardisedDistribution("normal", 5.0)
    Traceback (most recent call last):
    ...
    ValueError: a normal distribution has no degrees_of_freedom and no skew: leave out 5.0 and 0.0
    """

    kind: Literal["normal", "t", "skewt"]
    degrees_of_freedom: Annotated[float, Meta(gt=2.0, le=1000.0)] | None = None
    skew: Annotated[float, Meta(gt=-1.0, lt=1.0)] = 0.0

    def __post_init__(self) -> None:
        freedom, skew = self.degrees_of_freedom, self.skew
        if self.kind == "normal":
            if freedom is not None or skew != 0.0:
                raise ValueError(
                    f"a normal distribution has no degrees_of_freedom and no skew: leave out {freedom} and {skew}"
                )
        elif freedom is None or not 2.0 < freedom <= 1000.0:
            raise ValueError(
                f"degrees_of_freedom {freedom} of a {self.kind} distribution: give them above 2 and at most 1000"
            )
        elif self.kind == "t" and skew != 0.0:
            raise ValueError(f'skew {skew} of a t distribution: name it "skewt", or leave the skew out')
        elif not -1.0 < skew < 1.0:
            raise ValueError(f"skew {skew} of a skewt distribution: give it between -1 and 1")

    def shape(self) -> tuple[float, float]:
        """Return `(degrees_of_freedom, skew)` as the compiled functions take them."""
        return (math.inf if self.degrees_of_freedom is None else self.degrees_of_freedom), self.skew


@njit(cache=True)
def _place_and_scale(degrees_of_freedom: float, skew: float) -> tuple[float, float]:
    """Return Hansen's a and b, which make the mean 0 and the variance 1."""
    half = 0.5 * degrees_of_freedom
    c = math.exp(math.lgamma(half + 0.5) - math.lgamma(half)) / math.sqrt(math.pi * (degrees_of_freedom - 2.0))
    a = 4.0 * skew * c * (degrees_of_freedom - 2.0) / (degrees_of_freedom - 1.0)
    return a, math.sqrt(1.0 + 3.0 * skew * skew - a * a)


@njit(cache=True)
def standardised_cdf(z: float, degrees_of_freedom: float, skew: float) -> float:
    """Return the probability that a standardised residual is at most z.

    >>> round(standardised_cdf(-2.0, 5.0, -0.3), 12)
    0.035517027531
    """
    if math.isinf(degrees_of_freedom):
        return normal_cdf(z)
    a, b = _place_and_scale(degrees_of_freedom, skew)
    y = (b * z + a) * math.sqrt(degrees_of_freedom / (degrees_of_freedom - 2.0))
    if y < 0.0:
        return (1.0 - skew) * student_cdf(y / (1.0 - skew), degrees_of_freedom)
    return 1.0 - (1.0 + skew) * student_cdf(-y / (1.0 + skew), degrees_of_freedom)


@njit(cache=True)
def standardised_quantile(probability: float, degrees_of_freedom: float, skew: float) -> float:
    """Return the z that a standardised residual is at most with a probability strictly between 0 and 1.

    >>> round(standardised_quantile(0.01, 5.0, -0.3), 9)
    -3.079766783
    """
    if math.isinf(degrees_of_freedom):
        return normal_quantile(probability)
    a, b = _place_and_scale(degrees_of_freedom, skew)
    if probability < 0.5 * (1.0 - skew):
        y = (1.0 - skew) * student_quantile(probability / (1.0 - skew), degrees_of_freedom)
    else:
        y = -(1.0 + skew) * student_quantile((1.0 - probability) / (1.0 + skew), degrees_of_freedom)
    return (y * math.sqrt(1.0 - 2.0 / degrees_of_freedom) - a) / b


@njit(cache=True)
def standardised_shortfall(probability: float, degrees_of_freedom: float, skew: float) -> float:
    """Return by how much residuals fall short of 0 on average, in the worst cases of that probability together.

    This is the expected shortfall of the residual itself at the level `1 - probability`, in standard deviations
    (Acerbi and Tasche, "On the coherence of expected shortfall", Journal of Banking and Finance 26, 2002).

    >>> round(standardised_shortfall(0.025, math.inf, 0.0), 12)
    2.337802792201
    """
    z = standardised_quantile(probability, degrees_of_freedom, skew)
    if math.isinf(degrees_of_freedom):
        return normal_density(z) / probability
    a, b = _place_and_scale(degrees_of_freedom, skew)
    scale = math.sqrt(1.0 - 2.0 / degrees_of_freedom)
    y = (b * z + a) / scale
    # The mean is 0: what lies below z weighs as much as what lies above, and the nearer side has a formula.
    side = 1.0 - skew if y < 0.0 else 1.0 + skew
    t = -abs(y) / side
    weight = side * (side * scale * student_mean_below(t, degrees_of_freedom))
    if y < 0.0:
        return -(weight - a * probability) / (b * probability)
    return -(weight + a * (1.0 - probability)) / (b * probability)
