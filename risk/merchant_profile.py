"""A merchant's record: how many transactions it had, and how many of them turned out to be fraud.

Both are taken over windows of 1, 7 and 30 days that end 7 days before the event, because by then most frauds are known:
the delayed terminal risk of the Fraud Detection Handbook (Le Borgne, Siblini, Lebichot and Bontempi 2022, chapter 3.6).
What is known by the order of the log counts: a report that comes later than 7 days counts from then on.

A compromised merchant has fraud after fraud for some weeks. So it is told, too, how many transactions in a row, up to 7
days ago, nobody reported, how many before them were all reported, and since when: a run of frauds that began lately
still goes on, and one that was followed by others, or is long, is over.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from risk.array_loop import array_loop
from risk.event_rings import MAX_ENTRIES, RingArrays, drop_until, entry_at, push
from risk.keyed_rows import KeyedRows
from risk.keyed_step import KeyedStep

STATE_VERSION = 2
DAY_NS = 86_400_000_000_000
DELAY_DAYS = 7
WINDOW_DAYS = (1, 7, 30)
TRANSACTION, FRAUD, CLEARANCE = 0, 1, 2
"""Kinds of events: a transaction, a report that one was fraud, and the withdrawal of such a report."""

MERCHANT_FEATURES: tuple[str, ...] = (
    *(f"merchant_count_{days}d" for days in WINDOW_DAYS),
    *(f"merchant_fraud_rate_{days}d" for days in WINDOW_DAYS),
    "merchant_clean_run",
    "merchant_clean_days",
    "merchant_fraud_run",
    "merchant_fraud_onset_days",
)
"""The columns of what `MerchantProfile.advance` returns: transactions in the window, and the fraction known frauds; the
latest transactions in a row that nobody reported, and days since the newest of those; the transactions in a row before
them that were all reported, and days since the first of those. Of the last four only what is 7 to 37 days old has a
part; 37 days stand for none."""

_DTYPE = np.dtype([("last_time_ns", "<i8")])
_DELAY_NS = DELAY_DAYS * DAY_NS
_HORIZON_NS = (DELAY_DAYS + WINDOW_DAYS[-1]) * DAY_NS


@array_loop
def _find_report(frauds: RingArrays, row: int, identity: int) -> int:
    for number in range(frauds.length[row]):
        if frauds.value[entry_at(frauds, row, number)] == identity:
            return number
    return -1


@array_loop
def _remove_report(frauds: RingArrays, row: int, number: int) -> None:
    for later in range(number + 1, frauds.length[row]):
        source = entry_at(frauds, row, later)
        to = entry_at(frauds, row, later - 1)
        frauds.time_ns[to] = frauds.time_ns[source]
        frauds.value[to] = frauds.value[source]
        frauds.events[to] = frauds.events[source]
    frauds.length[row] -= 1


@array_loop
def _add_report(frauds: RingArrays, row: int, time_ns: int, identity: int) -> None:
    """Add a report in the order of transaction times; of too many, that on the oldest transaction is not kept."""
    if frauds.length[row] == MAX_ENTRIES:
        if time_ns < frauds.time_ns[entry_at(frauds, row, 0)]:
            return
        _remove_report(frauds, row, 0)
    push(frauds, row, time_ns, identity)
    number = frauds.length[row] - 1
    while number > 0:
        before, at = entry_at(frauds, row, number - 1), entry_at(frauds, row, number)
        if frauds.time_ns[before] <= time_ns:
            break
        frauds.time_ns[at] = frauds.time_ns[before]
        frauds.value[at] = frauds.value[before]
        frauds.time_ns[before] = time_ns
        frauds.value[before] = identity
        number -= 1


@array_loop
def _newest_until(ring: RingArrays, row: int, time_ns: int) -> int:
    """Return the number of a row's newest entry at or before `time_ns`, -1 for none."""
    low, high = 0, int(ring.length[row])
    while low < high:
        middle = (low + high) // 2
        if ring.time_ns[entry_at(ring, row, middle)] <= time_ns:
            low = middle + 1
        else:
            high = middle
    return low - 1


@array_loop
def _events_between(ring: RingArrays, row: int, first: int, end: int) -> int:
    """Return how many events the entries from the number `first` up to, and without, `end` stand for."""
    count = 0
    if first < end:
        start, wrap = entry_at(ring, row, first), ring.start[row] + ring.capacity[row]
        for at in range(start, min(start + end - first, wrap)):
            count += ring.events[at]
        for at in range(ring.start[row], ring.start[row] + start + end - first - wrap):
            count += ring.events[at]
    return count


@array_loop
def _windows(
    events: RingArrays, frauds: RingArrays, row: int, until_ns: int, features: npt.NDArray[np.float64]
) -> None:
    event, report = _newest_until(events, row, until_ns), _newest_until(frauds, row, until_ns)
    count = known = 0
    for window in range(3):
        after_ns = until_ns - WINDOW_DAYS[window] * DAY_NS
        before, before_report = _newest_until(events, row, after_ns), _newest_until(frauds, row, after_ns)
        count += _events_between(events, row, before + 1, event + 1)
        known += report - before_report
        event, report = before, before_report
        features[window] = count
        # Reports can outnumber transactions where those were merged or came before the state began.
        features[3 + window] = min(known, count) / count if count > 0 else 0.0


@array_loop
def _runs(events: RingArrays, frauds: RingArrays, row: int, time_ns: int, features: npt.NDArray[np.float64]) -> None:
    until_ns = time_ns - _DELAY_NS
    event, report = _newest_until(events, row, until_ns), _newest_until(frauds, row, until_ns)
    clean_run = fraud_run = 0
    clean_ns = onset_ns = time_ns - _HORIZON_NS
    # Most transactions come after the newest report: those of later instants than the first that it can be about.
    clean = 0
    if report >= 0:
        clean = _newest_until(events, row, frauds.time_ns[entry_at(frauds, row, report)] - 1) + 1
        if clean <= event:
            clean = _newest_until(events, row, events.time_ns[entry_at(events, row, clean)]) + 1
    any_clean = clean <= event
    if any_clean:
        clean_run = _events_between(events, row, clean, event + 1)
        clean_ns = events.time_ns[entry_at(events, row, event)]
        event = clean - 1
    while event >= 0:
        at_ns = events.time_ns[entry_at(events, row, event)]
        count = 0
        # Transactions of one instant go together, as what was merged into one entry does: reports name no entry.
        while event >= 0 and events.time_ns[entry_at(events, row, event)] == at_ns:
            count += events.events[entry_at(events, row, event)]
            event -= 1
        before_ns = events.time_ns[entry_at(events, row, event)] if event >= 0 else time_ns - _HORIZON_NS
        known = 0
        while report >= 0 and frauds.time_ns[entry_at(frauds, row, report)] > before_ns:
            if frauds.time_ns[entry_at(frauds, row, report)] <= at_ns:
                known += 1
            report -= 1
        if known >= count:
            fraud_run += count
            onset_ns = at_ns
            continue
        if not any_clean:
            any_clean = True
            clean_ns = at_ns
        if fraud_run > 0:
            break
        clean_run += count
    features[0] = clean_run
    features[1] = (time_ns - clean_ns) / DAY_NS
    features[2] = fraud_run
    features[3] = (time_ns - onset_ns) / DAY_NS


@array_loop
def _fold(
    rows: npt.NDArray[np.int64],
    event_time_ns: npt.NDArray[np.int64],
    kind: npt.NDArray[np.uint8],
    identity: npt.NDArray[np.int64],
    transaction_time_ns: npt.NDArray[np.int64],
    last_time_ns: npt.NDArray[np.int64],
    events: RingArrays,
    frauds: RingArrays,
    features: npt.NDArray[np.float64],
) -> None:
    for at in range(rows.shape[0]):
        row = rows[at]
        if kind[at] == TRANSACTION:
            time_ns = max(event_time_ns[at], last_time_ns[row])
            last_time_ns[row] = time_ns
            drop_until(events, row, time_ns - _HORIZON_NS)
            drop_until(frauds, row, time_ns - _HORIZON_NS)
            push(events, row, time_ns, 0)
            _windows(events, frauds, row, time_ns - _DELAY_NS, features[at, 0:6])
            _runs(events, frauds, row, time_ns, features[at, 6:10])
            continue
        number = _find_report(frauds, row, identity[at])
        if kind[at] == FRAUD:
            if number < 0 and transaction_time_ns[at] > last_time_ns[row] - _HORIZON_NS:
                _add_report(frauds, row, transaction_time_ns[at], identity[at])
        elif number >= 0:
            _remove_report(frauds, row, number)


class MerchantProfile(KeyedStep):
    """The records of a partition's merchants.

    A second report on a transaction changes nothing, and a clearance takes the report back.

    >>> record = MerchantProfile()
    >>> start = 1_767_225_600_000_000_000
    >>> times = start + DAY_NS * np.array([0, 0, 1, 8])
    >>> features = record.advance(
    ...     ["shop"] * 4, times, np.array([0, 0, 1, 0], np.uint8), ["t1", "t2", "t1", "t3"], np.array([start] * 4)
    ... )
    >>> dict(zip(MERCHANT_FEATURES, features[3].tolist()))["merchant_fraud_rate_7d"]
    0.5
    """

    def __init__(self) -> None:
        self._rows = KeyedRows(_DTYPE, rings=2)

    def advance(
        self,
        merchant_id: Sequence[str],
        event_time_ns: npt.NDArray[np.int64],
        kind: npt.NDArray[np.uint8],
        transaction_id: Sequence[str],
        transaction_time_ns: npt.NDArray[np.int64],
    ) -> npt.NDArray[np.float64]:
        """Take up transactions and labels in their order; return float64[n, len(MERCHANT_FEATURES)].

        The rows of labels are zeros.
        """
        rows = self._rows.rows(merchant_id)
        events, frauds = self._rows.rings
        identity = np.zeros(len(rows), dtype=np.int64)
        labels = np.flatnonzero(kind != TRANSACTION)
        if not len(labels):
            events.reserve_for(rows)
        else:
            events.reserve_for(rows[kind == TRANSACTION])
            frauds.reserve_for(rows[labels])
        for at in labels.tolist():
            digest = hashlib.blake2b(transaction_id[at].encode(), digest_size=8).digest()
            identity[at] = int.from_bytes(digest, "little", signed=True)
        features = np.zeros((len(rows), len(MERCHANT_FEATURES)))
        _fold(
            rows,
            event_time_ns,
            kind,
            identity,
            transaction_time_ns,
            self._rows.table["last_time_ns"],
            events.arrays,
            frauds.arrays,
            features,
        )
        return features
