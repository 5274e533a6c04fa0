"""Closed bars of made-up prices, for tests of what follows from bars."""

from collections.abc import Sequence

import numpy as np

from risk.bars.closed_bars import CLOSED_BAR, ClosedBars, closed_bars

MINUTE_NS = 60_000_000_000
START_NS = 1_704_067_200_000_000_000


def bars_of(symbols: Sequence[str], each: int, *, seed: int = 3, deviation_percent: float = 0.02) -> ClosedBars:
    """Return `each` bars of a minute of every symbol, in turn, of normal returns."""
    random = np.random.default_rng(seed)
    table = np.zeros(each * len(symbols), dtype=CLOSED_BAR)
    returns = deviation_percent * random.standard_normal((each, len(symbols)))
    close = 100.0 * np.exp(np.cumsum(returns, axis=0) / 100.0)
    start_ns = START_NS + MINUTE_NS * np.repeat(np.arange(each), len(symbols))
    table["index"] = np.arange(len(table))
    table["start_ns"], table["end_ns"] = start_ns, start_ns + MINUTE_NS
    for name in ("open", "high", "low", "close"):
        table[name] = close.ravel()
    table["ticks"], table["log_return_percent"] = 5, returns.ravel()
    for name in ("realised", "bipower", "parkinson", "garman_klass"):
        table[f"{name}_variance_percent2"] = returns.ravel() ** 2 + 1e-8
    return closed_bars(table, list(symbols) * each)
