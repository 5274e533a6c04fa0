"""A customer's habits: how often and how much, lately and for long, and how an amount stands to them.

Two kinds of memory. Exact sliding windows of 1, 7 and 30 days, the current event included, as the Fraud Detection
Handbook defines them (Le Borgne, Siblini, Lebichot and Bontempi 2022, chapter 3.5). And exponentially decayed moments
(`risk.decayed_moments`), as of before the event.

An amount above three times the customer's decayed mean of 30 days is an outlier. Outliers come in bursts where a card
is misused: how many there were lately, and since when, tells a burst from a single large purchase. A burst ends with 14
days without one.

A late event is counted at the profile's own clock, the greatest event time it has seen; one that is later than
`risk.event_time` allows is not counted.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from risk.array_loop import array_loop
from risk.decayed_moments import MOMENT_FIELDS, WINDOW_DAYS, update_moments
from risk.event_rings import RingArrays, drop_until, entry_at, push
from risk.event_time import LATE_LIMIT_NS
from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep

STATE_VERSION = 2
DAY_NS = 86_400_000_000_000
NIGHT_ENDS_HOUR = 7
_HOUR_NS = DAY_NS // 24
_AMOUNT_UNITS = 10_000
"""Window sums are kept in ten-thousandths of the currency: exact in int64, and no currency has a finer coin."""
MAX_AMOUNT_RATIO = 10.0
OUTLIER_RATIO = 3.0
OUTLIER_DAYS = 14
MAX_ONSET_DAYS = 28.0

CUSTOMER_FEATURES: tuple[str, ...] = (
    "amount",
    "is_weekend",
    "is_night",
    "time_of_day",
    *(f"customer_count_{days}d" for days in WINDOW_DAYS),
    *(f"customer_mean_amount_{days}d" for days in WINDOW_DAYS),
    *(f"customer_decayed_count_{days}d" for days in WINDOW_DAYS),
    *(f"customer_decayed_mean_{days}d" for days in WINDOW_DAYS),
    *(f"customer_amount_z_{days}d" for days in WINDOW_DAYS),
    "customer_amount_ratio",
    f"customer_outlier_count_{OUTLIER_DAYS}d",
    "customer_outlier_onset_days",
)
"""The columns of what `CustomerProfile.advance` returns. Amounts are in the stream's currency; `time_of_day` is the
fraction of the UTC day; counts are events; `amount_z` is in standard deviations. `customer_amount_ratio` is the amount
by the decayed mean of 30 days, at most MAX_AMOUNT_RATIO, and 1 where there is none. `customer_outlier_count` counts the
outliers before the event, each as exp(-age / OUTLIER_DAYS); `customer_outlier_onset_days` are the days since the first
of the present burst, at most MAX_ONSET_DAYS, which also stands for no burst."""

_DTYPE = np.dtype(
    [
        ("last_time_ns", "<i8"),
        *MOMENT_FIELDS,
        ("outlier_weight", "<f8"),
        ("burst_start_ns", "<i8"),
        ("last_outlier_ns", "<i8"),
    ]
)
_HORIZON_NS = WINDOW_DAYS[-1] * DAY_NS


@array_loop
def _fold(
    rows: npt.NDArray[np.int64],
    event_time_ns: npt.NDArray[np.int64],
    amount: npt.NDArray[np.float64],
    last_time_ns: npt.NDArray[np.int64],
    weight: npt.NDArray[np.float64],
    mean: npt.NDArray[np.float64],
    spread: npt.NDArray[np.float64],
    outlier_weight: npt.NDArray[np.float64],
    burst_start_ns: npt.NDArray[np.int64],
    last_outlier_ns: npt.NDArray[np.int64],
    ring: RingArrays,
    features: npt.NDArray[np.float64],
) -> None:
    for at in range(rows.shape[0]):
        row = rows[at]
        written = event_time_ns[at]
        if written < last_time_ns[row] - LATE_LIMIT_NS:
            features[at] = np.nan
            continue
        time_ns = max(written, last_time_ns[row])
        elapsed_days = (time_ns - last_time_ns[row]) / DAY_NS
        last_time_ns[row] = time_ns
        day = written // DAY_NS
        in_day = written - day * DAY_NS
        features[at, 0] = amount[at]
        # Day 0 of the epoch was a Thursday.
        features[at, 1] = 1.0 if (day + 3) % 7 >= 5 else 0.0
        features[at, 2] = 1.0 if in_day < NIGHT_ENDS_HOUR * _HOUR_NS else 0.0
        features[at, 3] = in_day / DAY_NS

        drop_until(ring, row, time_ns - _HORIZON_NS)
        push(ring, row, time_ns, int(np.rint(amount[at] * _AMOUNT_UNITS)))
        count = np.int64(0)
        total = np.int64(0)
        number = ring.length[row] - 1
        for window in range(3):
            after_ns = time_ns - WINDOW_DAYS[window] * DAY_NS
            while number >= 0:
                entry = entry_at(ring, row, number)
                if ring.time_ns[entry] <= after_ns:
                    break
                count += ring.events[entry]
                total += ring.value[entry]
                number -= 1
            features[at, 4 + window] = count
            features[at, 7 + window] = total / _AMOUNT_UNITS / count
        update_moments(
            weight[row],
            mean[row],
            spread[row],
            elapsed_days,
            amount[at],
            features[at, 10:13],
            features[at, 13:16],
            features[at, 16:19],
        )
        mean_30d = features[at, 15]
        ratio = min(amount[at] / mean_30d, MAX_AMOUNT_RATIO) if mean_30d > 0.0 else 1.0
        outlier_weight[row] *= np.exp(-elapsed_days / OUTLIER_DAYS)
        in_burst = time_ns - last_outlier_ns[row] < OUTLIER_DAYS * DAY_NS
        features[at, 19] = ratio
        features[at, 20] = outlier_weight[row]
        onset_days = (time_ns - burst_start_ns[row]) / DAY_NS
        features[at, 21] = min(onset_days, MAX_ONSET_DAYS) if in_burst else MAX_ONSET_DAYS
        if ratio > OUTLIER_RATIO:
            outlier_weight[row] += 1.0
            last_outlier_ns[row] = time_ns
            if not in_burst:
                burst_start_ns[row] = time_ns


class CustomerProfile(KeyedStep):
    """The profiles of a partition's customers.

    >>> profile = CustomerProfile()
    >>> times = 1_767_225_600_000_000_000 + DAY_NS * np.array([0, 1, 1])
    >>> features = profile.advance(["ann", "ann", "bob"], times, np.array([10.0, 30.0, 5.0]))
    >>> week = [CUSTOMER_FEATURES.index(f"customer_{what}_7d") for what in ("count", "mean_amount")]
    >>> features[:, week].tolist()
    [[1.0, 10.0], [2.0, 20.0], [1.0, 5.0]]
    """

    def __init__(self) -> None:
        self._rows = KeyedRows(_DTYPE, rings=1)

    def advance(
        self,
        customer_id: Sequence[str],
        event_time_ns: npt.NDArray[np.int64],
        amount: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        """Take up transactions in their order; return float64[n, len(CUSTOMER_FEATURES)], a row for each.

        One that comes too late leaves the profile as it is, and its row is NaN throughout; no other row has an amount
        that is NaN. A history in order of time has none.
        """
        rows = self._rows.rows(customer_id)
        (rings,) = self._rows.rings
        rings.reserve_for(rows)
        table = self._rows.table
        features = np.empty((len(rows), len(CUSTOMER_FEATURES)))
        _fold(
            rows,
            event_time_ns,
            amount,
            table["last_time_ns"],
            table["weight"],
            table["mean"],
            table["spread"],
            table["outlier_weight"],
            table["burst_start_ns"],
            table["last_outlier_ns"],
            rings.arrays,
            features,
        )
        return features
