"""Golden bars: what some bars led to when a market bundle was made, to be computed again when it is opened."""

import io
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.bars.closed_bars import CLOSED_BAR, ClosedBars, closed_bars
from risk.market.market_parameters import MarketParameters
from risk.market.symbol_risk import SymbolRisk

RELATIVE_TOLERANCE = 1e-6
"""Other processors round exponentials and networks otherwise; wrong parameters are off by far more."""

ABSOLUTE_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True)
class GoldenBars:
    """Closed bars in order, and what they led to: next variances float64[n], risk figures and forecasts, n rows each.

    `risk` has the values at risk and expected shortfalls of each bar in one row, `forecast` the forecasts of each.
    """

    bars: ClosedBars
    next_variance_percent2: NDArray[np.float64]
    risk: NDArray[np.float64]
    forecast: NDArray[np.float64]


def golden_bars(parameters: MarketParameters, graphs: Mapping[str, bytes], bars: ClosedBars) -> GoldenBars:
    """Return what the bars lead to from an empty state."""
    found = SymbolRisk(parameters, graphs).advance(bars)
    count = len(bars)
    figures = (found.risk.value_at_risk_percent, found.risk.expected_shortfall_percent)
    return GoldenBars(
        bars,
        found.variances.next_variance_percent2,
        np.hstack([one.reshape(count, -1) for one in figures]),
        found.forecasts.forecast.reshape(count, -1),
    )


def first_difference(golden: GoldenBars, found: GoldenBars) -> str | None:
    """Return where a golden bar leads to something else now, with both numbers, or None where none does."""
    for name in ("next_variance_percent2", "risk", "forecast"):
        was, now = getattr(golden, name), getattr(found, name)
        if was.shape != now.shape:
            return f"{name} has the shape {now.shape}, and had {was.shape} when the bundle was made"
        # NaN is a difference too, even from NaN, and so is what is not finite from what is.
        differ = np.argwhere(~np.isclose(now, was, rtol=RELATIVE_TOLERANCE, atol=ABSOLUTE_TOLERANCE))
        if len(differ):
            at = tuple(differ[0].tolist())
            return f"{name}{list(at)} of the golden bars is {now[at]}, and was {was[at]} when the bundle was made"
    return None


def golden_bars_bytes(golden: GoldenBars) -> bytes:
    """Return an npz archive of the bars; equal bars give equal bytes, as numpy writes no time of day."""
    table = np.zeros(len(golden.bars), dtype=CLOSED_BAR)
    for name in CLOSED_BAR.names or ():
        table[name] = getattr(golden.bars, name)
    archive = io.BytesIO()
    symbol = np.array(golden.bars.symbol, dtype=np.str_)
    outcomes = {one.name: getattr(golden, one.name) for one in fields(golden)[1:]}
    columns: dict[str, Any] = {"symbol": symbol, **{name: table[name] for name in CLOSED_BAR.names or ()}, **outcomes}
    np.savez(archive, **columns)
    return archive.getvalue()


def read_golden_bars(archive: bytes) -> GoldenBars:
    """Return the bars in an npz archive; raises ValueError for anything else. Pickled objects are refused."""
    try:
        with np.load(io.BytesIO(archive), allow_pickle=False) as arrays:
            symbol = arrays["symbol"].tolist()
            table = np.zeros(len(symbol), dtype=CLOSED_BAR)
            for name in CLOSED_BAR.names or ():
                table[name] = arrays[name]
            outcomes = {one.name: arrays[one.name] for one in fields(GoldenBars)[1:]}
    except Exception as error:  # zipfile and numpy raise many classes for one meaning: not golden bars
        raise ValueError(f"not an npz archive of golden bars: {error}") from error
    return GoldenBars(closed_bars(table, symbol), **outcomes)
