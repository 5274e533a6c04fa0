"""Fits the variance of each symbol's returns, on the very bars that the stream makes."""

from collections.abc import Sequence

import numpy as np
from arch import arch_model
from numpy.typing import NDArray

from risk.market.bars import bar_returns
from risk.market.garch import POOLED, GarchParameters, VolatilityParameters, conditional_variances

MIN_RETURNS = 500
"""With fewer returns than this a symbol keeps to the pooled parameters: estimates of GARCH on short samples
are far off and biased (Hwang and Valls Pereira, "Small sample properties of GARCH estimates and persistence",
European Journal of Finance 12, 2006, advise at least 500 observations for GARCH(1,1))."""

RISKMETRICS_LAMBDA = 0.94

_STARTS = (None, (0.0, 0.05, 0.05, 0.9), (0.0, 0.5, 0.1, 0.4), (0.0, 0.1, 0.1, 0.8))
"""Where the optimiser begins (mu, omega, alpha, beta), for returns of deviation 1: None is arch's own choice."""


class FitError(ValueError):
    """No parameters could be found; the message says of what, and why."""


def fit_volatility(
    symbol: Sequence[str],
    event_time_ns: NDArray[np.int64],
    bid: NDArray[np.float64],
    ask: NDArray[np.float64],
    *,
    bar_ns: int,
    bars_per_year: float,
    ewma_lambda: float = RISKMETRICS_LAMBDA,
) -> VolatilityParameters:
    """Return the parameters of the symbols in a history of quotes, given in order of time.

    A symbol has an entry of its own if it has MIN_RETURNS returns and its fit converges. The pooled entry is
    fitted to the returns of all symbols, one after the other, each with mean 0 and deviation 1, and then has
    the variance of the median symbol and the mean 0. Raises FitError when even all together have too few
    returns, or do not converge.
    """
    returns = bar_returns(symbol, event_time_ns, bid, ask, bar_ns)
    moving = {name: one for name, one in returns.items() if len(one) > 1 and np.std(one) > 0.0}
    symbols = {POOLED: _fit_pooled(list(moving.values()))}
    for name, one in moving.items():
        if len(one) >= MIN_RETURNS and name != POOLED:
            try:
                symbols[name] = fit_garch(one)
            except FitError:
                # The pooled entry stands for it.
                continue
    return VolatilityParameters(bar_ns=bar_ns, ewma_lambda=ewma_lambda, bars_per_year=bars_per_year, symbols=symbols)


def fit_garch(returns: NDArray[np.float64]) -> GarchParameters:
    """Return the maximum likelihood parameters of returns float64[n] in percent, with normal errors.

    The backcast is that of `arch`: the squared residuals of the first 75 returns, weighted by powers of 0.94.
    Where the optimiser gets stuck it begins again elsewhere: at the bound alpha + beta = 1, where returns of minutes
    like to be, a last bit can make the difference. Raises FitError when it does not converge from anywhere.
    """
    # Returns of a minute are too small for the optimiser's steps: it is given returns of deviation 1.
    deviation = float(np.std(returns))
    scaled = returns / deviation
    model = arch_model(scaled, mean="Constant", vol="GARCH", p=1, q=1, rescale=False)
    backcast = float(model.volatility.backcast(scaled - scaled.mean()))
    for start in _STARTS:
        starting_values = None if start is None else np.array(start)
        result = model.fit(disp="off", show_warning=False, backcast=backcast, starting_values=starting_values)
        mu, omega, alpha, beta = (float(one) for one in result.params)
        if result.convergence_flag == 0 and omega > 0.0:
            break
    else:
        raise FitError(
            f"GARCH(1,1) of {len(returns)} returns does not converge (flag {result.convergence_flag}, "
            f"omega {omega:.3g}): give more quotes, or longer bars"
        )
    mu, omega, backcast = mu * deviation, omega * deviation**2, backcast * deviation**2
    # The optimiser holds alpha + beta <= 1 only up to rounding.
    beta = min(beta, 1.0 - alpha)
    last_variance = float(conditional_variances(returns, mu, omega, alpha, beta, backcast)[-1])
    return GarchParameters(mu=mu, omega=omega, alpha=alpha, beta=beta, backcast=backcast, last_variance=last_variance)


def _fit_pooled(returns: list[NDArray[np.float64]]) -> GarchParameters:
    count = sum(map(len, returns))
    if count < MIN_RETURNS:
        raise FitError(
            f"the quotes have {count} returns from bar to bar, and {MIN_RETURNS} are needed: "
            "give more quotes, or shorter bars"
        )
    pooled = fit_garch(np.concatenate([(one - one.mean()) / np.std(one) for one in returns]))
    variance = float(np.median([np.var(one) for one in returns]))
    return GarchParameters(
        mu=0.0,
        omega=pooled.omega * variance,
        alpha=pooled.alpha,
        beta=pooled.beta,
        backcast=variance,
        last_variance=variance,
    )
