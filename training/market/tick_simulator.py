"""Seeded quotes and trades whose bars are GARCH(1,1), for users without market data."""

from collections.abc import Sequence

import numpy as np

from risk.volatility.volatility_model import Garch
from training.market.tick_history import TickHistory

MINUTE_NS = 60_000_000_000

MINUTE_BARS = Garch(omega=8e-6, alpha=(0.08,), beta=(0.9,), backcast_percent2=4e-4)
"""Bars of a minute with a deviation of 0.02 % in the long run: about 14.5 % a year when markets never
close."""


def simulate_ticks(
    symbols: Sequence[str],
    n: int,
    seed: int,
    *,
    parameters: Garch = MINUTE_BARS,
    start_ns: int = 1_704_067_200_000_000_000,
    bar_ns: int = MINUTE_NS,
    ticks_per_bar: int = 20,
    first_price: float = 100.0,
    spread_percent: float = 0.01,
    trade_share: float = 0.0,
) -> TickHistory:
    """Return n ticks, spread evenly over the symbols, the same for the same arguments.

    Each symbol has `ticks_per_bar` ticks at random times in each bar, from `start_ns` (2024-01-01 by default), and
    starts at `first_price`. Its log returns from bar to bar follow a GARCH(1,1) exactly (the first bar starts from
    the backcast); symbols are independent. Of the ticks a `trade_share`, 0 to 1, are trades at the bid or the ask, of
    sizes from 1 on with a median of 100; the others are quotes. Each symbol's are numbered from 0 on. Raises ValueError
    for no symbols, or less than one tick a bar.

    >>> ticks = simulate_ticks(["EURUSD", "USDJPY"], 1_000, seed=1)
    >>> len(ticks.symbol), ticks.symbol[:3]
    (1000, ['EURUSD', 'EURUSD', 'EURUSD'])
    """
    if not symbols or ticks_per_bar < 1:
        raise ValueError(f"{len(symbols)} symbols, {ticks_per_bar} ticks a bar: give at least one of each")
    random = np.random.default_rng(seed)
    bars = -(-n // (len(symbols) * ticks_per_bar))
    shape = (bars, len(symbols), ticks_per_bar)
    steps = random.standard_normal(shape)
    omega, (alpha,), (beta,) = parameters.omega, parameters.alpha, parameters.beta
    variance = np.full((len(symbols), 1), omega + (alpha + beta) * parameters.backcast_percent2)
    for bar in range(bars):
        # The steps of a bar add up to its return: the mean, and a residual of the bar's variance.
        steps[bar] *= np.sqrt(variance / ticks_per_bar)
        residual = steps[bar].sum(axis=1, keepdims=True)
        variance = omega + alpha * residual**2 + beta * variance
    steps += parameters.mean_percent / ticks_per_bar
    within_bar_ns = np.sort(random.integers(0, bar_ns, shape), axis=2)
    time_ns = start_ns + bar_ns * np.arange(bars)[:, None, None] + within_bar_ns
    # From [bar, symbol, tick] to one row a symbol, in order of time.
    steps = steps.transpose(1, 0, 2).reshape(len(symbols), -1)
    times = time_ns.transpose(1, 0, 2).reshape(len(symbols), -1)
    mid = (first_price * np.exp(np.cumsum(steps, axis=1) / 100.0)).ravel()
    order = np.argsort(times, axis=None, kind="stable")[:n]
    owners = np.repeat(np.arange(len(symbols)), bars * ticks_per_bar)[order]
    half_spread = spread_percent / 200.0
    bid, ask = mid[order] * (1.0 - half_spread), mid[order] * (1.0 + half_spread)
    is_trade = random.random(n) < trade_share
    at_ask, size = random.random(n) < 0.5, np.ceil(100.0 * random.lognormal(0.0, 1.0, n))
    sequence = np.empty(n, dtype=np.int64)
    for owner in range(len(symbols)):
        mine = np.flatnonzero(owners == owner)
        sequence[mine] = np.arange(len(mine))
    return TickHistory(
        symbol=[symbols[owner] for owner in owners.tolist()],
        event_time_ns=times.ravel()[order],
        bid=np.where(is_trade, np.nan, bid),
        ask=np.where(is_trade, np.nan, ask),
        price=np.where(is_trade, np.where(at_ask, ask, bid), np.nan),
        size=np.where(is_trade, size, np.nan),
        sequence=sequence,
    )
