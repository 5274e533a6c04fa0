"""A fixed set of standardised innovations, for forecasts that have no formula: the same at every call, anywhere."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from risk.distributions.standardised_distribution import standardised_quantile

STANDARD_PATHS = 1024
"""How many paths the set has: 1,024 bring the mean variance ten bars ahead within about a percent."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@lru_cache(maxsize=64)
def standard_innovations(degrees_of_freedom: float, skew: float, horizon_bars: int) -> NDArray[np.float64]:
    """Return innovations of mean 0 and variance 1, float64[STANDARD_PATHS, horizon_bars], read-only.

    They are a Latin hypercube: in each bar every path has another of the distribution's quantiles in the middle of
    1,024 equal slices, and a fixed hash shuffles the paths from bar to bar (McKay, Beckman and Conover, "A comparison
    of three methods for selecting values of input variables", Technometrics 21, 1979). The slices lack the far tails,
    so the quantiles are brought back to mean 0 and variance 1.

    >>> innovations = standard_innovations(float("inf"), 0.0, 2)
    >>> innovations.shape, abs(float(innovations.mean())) < 1e-15, round(float(innovations.var()), 12)
    ((1024, 2), True, 1.0)
    """
    middles = (np.arange(STANDARD_PATHS) + 0.5) / STANDARD_PATHS
    quantiles = np.array([standardised_quantile(one, degrees_of_freedom, skew) for one in middles.tolist()])
    quantiles = (quantiles - quantiles.mean()) / quantiles.std()
    numbers = np.arange(1, STANDARD_PATHS * horizon_bars + 1, dtype=np.uint64).reshape(horizon_bars, STANDARD_PATHS)
    innovations = np.array(quantiles[np.argsort(_mixed(numbers), axis=1)].T, dtype=np.float64, order="C")
    innovations.flags.writeable = False
    return innovations


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return each number's hash by SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), which is one to one."""
    mixed = numbers * _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)
