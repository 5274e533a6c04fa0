"""Some of the bars, by their rows."""

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from risk.bars.closed_bars import ClosedBars


def bars_where(bars: ClosedBars, rows: NDArray[np.int64]) -> ClosedBars:
    """Return the bars in rows int64[m], in their order.

    >>> from risk.bars.closed_bars import CLOSED_BAR, closed_bars
    >>> bars_where(closed_bars(np.zeros(2, CLOSED_BAR), ["A", "B"]), np.array([1])).symbol
    ['B']
    """
    columns = {one.name: getattr(bars, one.name)[rows] for one in fields(ClosedBars) if one.name != "symbol"}
    return ClosedBars(symbol=[bars.symbol[at] for at in rows.tolist()], **columns)
