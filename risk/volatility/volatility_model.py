"""The volatility models: what is estimated for one symbol, as it is stored, and the set for all symbols.

Returns are log returns of one bar in percent, so variances are in percent squared. The mean is constant. Each struct
names its parameters as the library `arch` does, and holds `backcast_percent2`, the variance that stands for what came
before the first return, and perhaps `start`, where training ended.
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from risk.distributions.standardised_distribution import StandardisedDistribution
from risk.volatility.training_end import Coefficients, TrainingEnd, require, require_finite

RISKMETRICS_DECAY = 0.94
"""For daily returns: J.P. Morgan/Reuters, RiskMetrics Technical Document, 4th edition, 1996, section 5.3."""

HAR_BARS = (1, 5, 22)
"""The bars that the three averages of HAR go back: a day, a week and a month where a bar is a day."""


class _Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What every model has.

    `distribution` is that of the standardised residuals, to which the model was fitted.
    """

    mean_percent: float = 0.0
    backcast_percent2: float
    distribution: StandardisedDistribution = StandardisedDistribution("normal")
    start: TrainingEnd | None = None

    def __post_init__(self) -> None:
        require_finite(mean_percent=(self.mean_percent,), backcast_percent2=(self.backcast_percent2,))
        require(self.backcast_percent2 > 0.0, f"backcast_percent2 {self.backcast_percent2} must be positive")


class Ewma(_Model, frozen=True, kw_only=True, tag="ewma"):
    """The exponentially weighted variance of RiskMetrics: `(1 - decay) * residual**2 + decay * variance`.

    J.P. Morgan/Reuters, RiskMetrics Technical Document, 4th edition, 1996, section 5.2. Raises ValueError for a decay
    outside (0, 1).
    """

    decay: float = RISKMETRICS_DECAY

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0.0 < self.decay < 1.0, f"decay {self.decay} must lie between 0 and 1")


class Garch(_Model, frozen=True, kw_only=True, tag="garch"):
    """GARCH(p, q); with `gamma` the GJR-GARCH(p, o, q), which with power 1 is the TARCH of Zakoian.

    `sigma**power` is `omega`, plus `alpha` times the last p of `|residual|**power`, plus `gamma` times the last o of
    those that were negative, plus `beta` times the last q of itself. Bollerslev, Journal of Econometrics 31 (1986);
    Glosten, Jagannathan and Runkle, Journal of Finance 48 (1993); Zakoian, Journal of Economic Dynamics and Control 18
    (1994). Raises ValueError where a variance could be negative or grow without bound.

    >>> Garch(omega=0.02, alpha=(0.2,), beta=(0.9,), backcast_percent2=1.0)
    Traceback (most recent call last):
    ...
    ValueError: alpha (0.2,) + gamma () / 2 + beta (0.9,) exceed 1: the variance would grow without bound
    """

    omega: float
    alpha: Coefficients
    gamma: Coefficients = ()
    beta: Coefficients = ()
    power: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_finite(omega=(self.omega,), alpha=self.alpha, gamma=self.gamma, beta=self.beta, power=(self.power,))
        require(self.omega > 0.0, f"omega {self.omega} must be positive")
        require(0.05 <= self.power <= 4.0, f"power {self.power} must lie between 0.05 and 4")
        require(bool(self.alpha or self.gamma), "alpha and gamma are both empty: give one of them at least a lag")
        require(min(self.alpha + self.beta, default=0.0) >= 0.0, "alpha and beta must not be negative")
        for at, gamma in enumerate(self.gamma):
            floor = -self.alpha[at] if at < len(self.alpha) else 0.0
            require(gamma >= floor, f"gamma {self.gamma}: lag {at + 1} must not be less than {floor}")
        require(
            sum(self.alpha) + 0.5 * sum(self.gamma) + sum(self.beta) <= 1.0,
            f"alpha {self.alpha} + gamma {self.gamma} / 2 + beta {self.beta} exceed 1: "
            "the variance would grow without bound",
        )


class Egarch(_Model, frozen=True, kw_only=True, tag="egarch"):
    """EGARCH(p, o, q): the logarithm of the variance follows standardised residuals z.

    It is `omega`, plus `alpha` times the last p of `|z| - sqrt(2 / pi)`, plus `gamma` times the last o of z, plus
    `beta` times the last q of itself. Nelson, "Conditional heteroskedasticity in asset returns: a new approach",
    Econometrica 59 (1991). Raises ValueError where the variance could grow without bound.
    """

    omega: float
    alpha: Coefficients
    gamma: Coefficients = ()
    beta: Coefficients = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        require_finite(omega=(self.omega,), alpha=self.alpha, gamma=self.gamma, beta=self.beta)
        require(bool(self.alpha or self.gamma), "alpha and gamma are both empty: give one of them at least a lag")
        require(
            min(self.beta, default=0.0) >= 0.0 and sum(self.beta) <= 1.0,
            f"beta {self.beta} must not be negative, nor exceed 1 in sum: the variance would grow without bound",
        )


class Aparch(_Model, frozen=True, kw_only=True, tag="aparch"):
    """APARCH(p, o, q): `sigma**delta` follows the last p of `(|residual| - gamma * residual)**delta` and q of itself.

    Ding, Granger and Engle, "A long memory property of stock market returns and a new model", Journal of Empirical
    Finance 1 (1993). Raises ValueError where a variance could be negative or grow without bound.
    """

    omega: float
    alpha: Coefficients
    gamma: Coefficients = ()
    beta: Coefficients = ()
    delta: float

    def __post_init__(self) -> None:
        super().__post_init__()
        require_finite(omega=(self.omega,), alpha=self.alpha, gamma=self.gamma, beta=self.beta, delta=(self.delta,))
        require(self.omega > 0.0, f"omega {self.omega} must be positive")
        require(0.05 <= self.delta <= 4.0, f"delta {self.delta} must lie between 0.05 and 4")
        require(bool(self.alpha), "alpha is empty: give it at least a lag")
        require(len(self.gamma) <= len(self.alpha), f"gamma {self.gamma} has more lags than alpha {self.alpha}")
        require(all(abs(one) < 1.0 for one in self.gamma), f"gamma {self.gamma} must lie between -1 and 1")
        require(min(self.alpha + self.beta) >= 0.0, "alpha and beta must not be negative")
        require(
            sum(self.alpha) + sum(self.beta) <= 1.0,
            f"alpha {self.alpha} + beta {self.beta} exceed 1: the variance would grow without bound",
        )


class Figarch(_Model, frozen=True, kw_only=True, tag="figarch"):
    """FIGARCH(1, d, 1) as an ARCH of `truncation` lags, whose memory fades as a power of time; phi and beta may be 0.

    Baillie, Bollerslev and Mikkelsen, "Fractionally integrated generalized autoregressive conditional
    heteroskedasticity", Journal of Econometrics 74 (1996). Raises ValueError where a weight could be negative.
    """

    omega: float
    phi: float = 0.0
    d: float
    beta: float = 0.0
    power: float = 2.0
    truncation: Annotated[int, Meta(ge=1, le=10_000)] = 1000

    def __post_init__(self) -> None:
        super().__post_init__()
        require_finite(parameters=(self.omega, self.phi, self.d, self.beta, self.power))
        require(self.omega > 0.0, f"omega {self.omega} must be positive")
        require(1 <= self.truncation <= 10_000, f"truncation {self.truncation} must lie between 1 and 10000 bars")
        require(0.05 <= self.power <= 4.0, f"power {self.power} must lie between 0.05 and 4")
        require(0.0 <= self.d <= 1.0, f"d {self.d} must lie between 0 and 1")
        require(0.0 <= self.phi <= 0.5 * (1.0 - self.d), f"phi {self.phi} must lie between 0 and (1 - d) / 2")
        require(
            0.0 <= self.beta <= self.d + self.phi and self.beta < 1.0,
            f"beta {self.beta} must lie between 0 and d + phi, and below 1",
        )


class Har(_Model, frozen=True, kw_only=True, tag="har"):
    """HAR: the realised variance to come follows its means over the last 1, 5 and 22 bars.

    `scale` turns a realised variance into one of returns, for what happens where no trade is seen (Hansen and Lunde,
    Journal of Financial Econometrics 3, 2005). Corsi, "A simple approximate long-memory model of realized volatility",
    Journal of Financial Econometrics 7 (2009). Raises ValueError for a scale that is not positive.
    """

    constant: float
    daily: float
    weekly: float
    monthly: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_finite(parameters=(self.constant, self.daily, self.weekly, self.monthly, self.scale))
        require(self.scale > 0.0, f"scale {self.scale} must be positive")
        if self.start is not None:
            wanted = len(self.start.residuals_percent)
            require(
                len(self.start.realised_variances_percent2) == wanted,
                f"start needs realised_variances_percent2 for HAR: {wanted} of them",
            )


VolatilityModel = Ewma | Garch | Egarch | Aparch | Figarch | Har
