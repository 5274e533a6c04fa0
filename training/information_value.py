"""Information value: how far the bins of a column tell events from others (Siddiqi 2006, "Credit risk scorecards")."""

import numpy as np
import numpy.typing as npt


def information_value(rows: npt.NDArray[np.int64], events: npt.NDArray[np.int64]) -> float:
    """Return the sum over bins of (share of others - share of events) times the log of their ratio.

    `rows` int64[bins] counts all rows of a bin, `events` those with the event. Half a row is added to each count, so
    that a bin without events has a value too (Haldane 1956). Below 0.02 a column tells nothing, above 0.5 it tells
    suspiciously much (Siddiqi 2006, chapter 6).

    >>> round(information_value(np.array([50, 50]), np.array([10, 30])), 3)
    0.713
    """
    hits, others = events + 0.5, rows - events + 0.5
    shares = others / others.sum(), hits / hits.sum()
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
