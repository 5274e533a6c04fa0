"""Whether standardised residuals are what a volatility model expects: independent, and of its distribution."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.market.report import ModelQuantiles

LAGS = 20
"""The lags of autocorrelations and of the tests: a month of trading days."""

ENOUGH = 2 * LAGS + 10
"""Fewer residuals tell nothing of 20 lags."""

_DRAWN = 400
_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Residuals against their model: `observed` where `expected` lies, all float64[m].

    Where the model is right, `observed` lies within `low` to `high` in 95 of 100 samples, at each point by itself.
    """

    expected: NDArray[np.float64]
    observed: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ResidualTest:
    """A test of the residuals: what it asks, its statistic and p-value, and the answer in words."""

    name: str
    asks: str
    statistic: float
    p_value: float
    verdict: str


def quantiles(z: NDArray[np.float64], expected: ModelQuantiles) -> Quantiles:
    """Return the sorted residuals z float64[n] against their model's quantiles, at up to 400 of them.

    The k-th of n lies at the probability (k - 0.375) / (n + 0.25) (Blom, Statistical Estimates and Transformed
    Beta-Variables, 1958); the bounds are its order statistic's, which is of a beta distribution. The most extreme are
    always among those returned, and none lies outside the probabilities that the model's quantiles cover.
    """
    from scipy.special import betaincinv

    count = len(z)
    ranks = _drawn_ranks(count)
    probability = (ranks - 0.375) / (count + 0.25)
    # Of many residuals the most extreme ones lie beyond the model's outermost quantiles, of which nothing is known.
    covered = (probability >= expected.probability[0]) & (probability <= expected.probability[-1])
    ranks, probability = ranks[covered], probability[covered]

    def at(where: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.interp(where, expected.probability, expected.z)

    low, high = (betaincinv(ranks, count + 1.0 - ranks, side) for side in (0.025, 0.975))
    return Quantiles(at(probability), np.sort(z)[ranks.astype(np.int64) - 1], at(low), at(high))


def _drawn_ranks(count: int) -> NDArray[np.float64]:
    if count <= _DRAWN:
        return np.arange(1.0, count + 1.0)
    # Every one of both tails, and of the rest as many as there is room for.
    tail = _DRAWN // 4
    middle = np.linspace(tail + 1, count - tail, _DRAWN - 2 * tail)
    return np.concatenate([np.arange(1.0, tail + 1.0), np.round(middle), np.arange(count - tail + 1.0, count + 1.0)])


def autocorrelations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the autocorrelations of values float64[n] at lags 1 to 20: float64[20].

    Box and Jenkins, Time Series Analysis, 1970, section 2.1.5. Those of independent values lie within 1.96 / sqrt(n)
    in 95 of 100 samples. Values that are all alike have none: zeros.

    >>> autocorrelations(np.tile([1.0, -1.0], 50))[:2].round(2).tolist()
    [-0.99, 0.98]
    """
    centred = values - values.mean()
    total = float(centred @ centred)
    if total == 0.0:
        return np.zeros(LAGS)
    return np.array([float(centred[lag:] @ centred[:-lag]) / total for lag in range(1, LAGS + 1)])


def residual_tests(z: NDArray[np.float64]) -> tuple[ResidualTest, ...]:
    """Return what statsmodels finds of the residuals z float64[n]; nothing where they are too few, or all alike.

    Ljung and Box, Biometrika 65 (1978); Engle, Econometrica 50 (1982); Jarque and Bera, Economics Letters 6 (1980).
    """
    from statsmodels.stats.diagnostic import acorr_ljungbox, het_arch
    from statsmodels.stats.stattools import jarque_bera

    if len(z) < ENOUGH or np.ptp(z) == 0.0:
        return ()
    box, box_p = (float(one.iloc[0]) for _, one in acorr_ljungbox(z, lags=[LAGS]).items())
    square, square_p = (float(one.iloc[0]) for _, one in acorr_ljungbox(z * z, lags=[LAGS]).items())
    arch, arch_p = (float(one) for one in het_arch(z, nlags=LAGS, result_object=False)[:2])
    normal, normal_p = (float(one) for one in jarque_bera(z)[:2])
    follow = f"Do residuals follow from those of the last {LAGS} bars?"
    swing = f"Do swings follow from those of the last {LAGS} bars?"
    kept = "swings that the variance does not foresee: try another model"
    return (
        _told("Ljung-Box, z", follow, box, box_p, "no sign of it", "they do, a little: the mean is not constant"),
        _told("Ljung-Box, z squared", swing, square, square_p, "no sign of it: the variance foresees them", kept),
        _told("ARCH-LM", swing, arch, arch_p, "no sign of it: the variance foresees them", kept),
        _told(
            "Jarque-Bera",
            "Are residuals normal?",
            normal,
            normal_p,
            "they may be",
            "they are not: a quantile of the normal distribution would be too near",
        ),
    )


def _told(name: str, asks: str, statistic: float, p_value: float, kept: str, rejected: str) -> ResidualTest:
    return ResidualTest(name, asks, statistic, p_value, rejected if p_value < _SIGNIFICANT else kept)
