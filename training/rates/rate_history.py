"""A history of curve points, as they would have come."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class RateHistory:
    """Curve points in order of time and then of tenor.

    `tenor_months` int64[n], `rate_percent` float64[n] par yields, `event_time_ns` int64[n] since the Unix epoch.
    """

    currency: list[str]
    tenor_months: npt.NDArray[np.int64]
    rate_percent: npt.NDArray[np.float64]
    event_time_ns: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.currency)
