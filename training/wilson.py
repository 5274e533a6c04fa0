"""Wilson's interval of a share: within 0 to 1, and of use where events are few or none."""

import numpy as np
import numpy.typing as npt

_Z = 1.959963984540054  # the 97.5 % point of the normal distribution


def wilson_interval(
    events: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the lower and the upper bound of 95 % intervals of events / rows, float64[n] each (Wilson 1927).

    Without rows nothing is known: 0 to 1.

    >>> low, high = wilson_interval(np.array([0, 5]), np.array([10, 10]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.0, 0.237], [0.278, 0.763])
    """
    count = np.maximum(rows, 1).astype(np.float64)
    share = events / count
    scale = 1.0 + _Z**2 / count
    centre = (share + _Z**2 / (2.0 * count)) / scale
    half = _Z / scale * np.sqrt(share * (1.0 - share) / count + _Z**2 / (4.0 * count**2))
    # Rounding alone would keep a bound from 0 without events, and from 1 without others.
    low = np.where(events > 0, centre - half, 0.0)
    high = np.where(events < rows, centre + half, 1.0)
    return low, high
