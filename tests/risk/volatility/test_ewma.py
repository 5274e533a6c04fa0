import numpy as np
from arch.univariate import EWMAVariance

from risk.volatility.ewma import next_ewma_variance


def test_the_recursion_is_that_of_arch() -> None:
    """The variances equal those of arch's RiskMetrics process bit for bit."""
    returns = np.random.default_rng(3).standard_t(4, 2_000)
    backcast = float(np.var(returns[:75]))
    expected = np.empty(len(returns))
    unbounded = np.tile([0.0, np.inf], (len(returns), 1))
    EWMAVariance(0.94).compute_variance(np.empty(0), returns, expected, backcast, unbounded)
    found = [expected[0]]
    for one in returns[:-1]:
        found.append(next_ewma_variance(found[-1], one, 0.94))
    assert np.array_equal(found, expected)
