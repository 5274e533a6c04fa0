"""A seeded simulator of customers, merchants and frauds, for those who have no data yet.

Customers live somewhere on a square, spend around a level of their own, and mostly go to a few favourite merchants near
them, by day more than by night. Three kinds of fraud are mixed in:

- a stolen card: for one to three days it pays several times its owner's usual amount, anywhere, at any hour;
- a compromised merchant: for two to four weeks some of its payments are made with copied cards, of usual amounts;
- a tested card: a burst of small payments within an hour, then large ones.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from risk.byte_slices import TextColumn
from training.history import DAY_NS, History, in_order

HOUR_NS = DAY_NS // 24
START_NS = 1_767_225_600_000_000_000
"""2026-01-01, a Thursday."""

_FAVOURITES = 8
_SIDE_KM = 100.0
_STRAY_FRACTION = 0.1
_HOUR_WEIGHTS = np.array([1, 1, 1, 1, 1, 2, 4, 8, 10, 10, 11, 13, 14, 12, 11, 11, 12, 14, 15, 13, 10, 7, 4, 2], float)
_STOLEN_PER_CUSTOMER_DAY = 1e-3
_TESTED_PER_CUSTOMER_DAY = 3e-4
_COMPROMISED_PER_MERCHANT_DAY = 4e-4
_MEAN_REPORT_DAYS = 2.0
_LATEST_REPORT_DAYS = 7.0

_Payment = tuple[int, int, int, float, bool]
"""Customer, merchant, nanoseconds since the start, amount, fraud."""


def simulate_transactions(customers: int, merchants: int, days: int, seed: int, *, start_ns: int = START_NS) -> History:
    """Return the simulated payments of whole days from `start_ns`; the same for the same arguments.

    A customer pays one to two times a day on average, amounts are in euros with cents. Each fraud becomes known up to 7
    days after it. Raises ValueError for fewer than one customer, 10 merchants or one day.

    >>> history = simulate_transactions(customers=20, merchants=10, days=3, seed=1)
    >>> len(history) > 20, bool((np.diff(history.event_time_ns) >= 0).all())
    (True, True)
    """
    if customers < 1 or merchants < 10 or days < 1:
        raise ValueError(f"{customers} customers, {merchants} merchants, {days} days: give at least 1, 10 and 1")
    draw = np.random.default_rng(seed)
    homes = draw.uniform(0.0, _SIDE_KM, (customers, 2))
    shops = draw.uniform(0.0, _SIDE_KM, (merchants, 2))
    level = draw.lognormal(3.3, 0.6, customers)
    per_day = draw.gamma(3.0, 0.5, customers)
    favourites = np.stack(
        [np.argsort(((shops - home) ** 2).sum(axis=1))[: min(_FAVOURITES, merchants)] for home in homes]
    )
    payments = [
        *_genuine(draw, level, per_day, favourites, merchants, days),
        *_stolen(draw, level, merchants, days),
        *_tested(draw, level, merchants, days),
    ]
    # A fraud that began on the last days is cut off with them: days of nothing but fraud would flatter every model.
    payments = [payment for payment in payments if payment[2] < days * DAY_NS]
    payments = _copied_cards(draw, payments, merchants, days)
    payments.sort()
    return _history(draw, payments, start_ns)


def _genuine(
    draw: np.random.Generator,
    level: npt.NDArray[np.float64],
    per_day: npt.NDArray[np.float64],
    favourites: npt.NDArray[np.int64],
    merchants: int,
    days: int,
) -> Iterator[_Payment]:
    weights = 1.0 / np.arange(1, favourites.shape[1] + 1)
    for customer in range(len(level)):
        count = int(draw.poisson(per_day[customer] * days))
        times = _times_of_day(draw, count) + DAY_NS * draw.integers(days, size=count)
        liked = favourites[customer][draw.choice(len(weights), size=count, p=weights / weights.sum())]
        shop = np.where(draw.random(count) < _STRAY_FRACTION, draw.integers(merchants, size=count), liked)
        amount = _amounts(draw, level[customer], 0.5, count)
        yield from ((customer, int(m), int(t), float(a), False) for m, t, a in zip(shop, times, amount, strict=True))


def _stolen(draw: np.random.Generator, level: npt.NDArray[np.float64], merchants: int, days: int) -> Iterator[_Payment]:
    for customer in draw.integers(len(level), size=draw.poisson(_STOLEN_PER_CUSTOMER_DAY * len(level) * days)).tolist():
        begin = draw.integers(days * DAY_NS)
        count = int(draw.integers(3, 10))
        times = begin + np.sort(draw.integers(0, int(draw.uniform(1.0, 3.0) * DAY_NS), size=count))
        amount = _amounts(draw, level[customer] * draw.uniform(3.0, 9.0), 0.4, count)
        for at in range(count):
            yield customer, int(draw.integers(merchants)), int(times[at]), float(amount[at]), True


def _tested(draw: np.random.Generator, level: npt.NDArray[np.float64], merchants: int, days: int) -> Iterator[_Payment]:
    for customer in draw.integers(len(level), size=draw.poisson(_TESTED_PER_CUSTOMER_DAY * len(level) * days)).tolist():
        begin = draw.integers(days * DAY_NS)
        count = int(draw.integers(6, 15))
        times = begin + np.sort(draw.integers(0, HOUR_NS, size=count))
        shop = int(draw.integers(merchants))
        for at in range(count):
            large = at >= count - 2
            amount = level[customer] * draw.uniform(5.0, 10.0) if large else draw.uniform(0.5, 3.0)
            yield customer, shop, int(times[at]), round(float(amount), 2), True


def _copied_cards(draw: np.random.Generator, payments: list[_Payment], merchants: int, days: int) -> list[_Payment]:
    spells = []
    for shop in draw.integers(merchants, size=draw.poisson(_COMPROMISED_PER_MERCHANT_DAY * merchants * days)).tolist():
        begin = int(draw.integers(days * DAY_NS))
        spells.append((shop, begin, begin + int(draw.uniform(14.0, 28.0) * DAY_NS), draw.uniform(0.2, 0.5)))
    luck = draw.random(len(payments))
    return [
        (
            customer,
            shop,
            time_ns,
            amount,
            fraud
            or any(
                shop == where and begin <= time_ns < end and luck[at] < share for where, begin, end, share in spells
            ),
        )
        for at, (customer, shop, time_ns, amount, fraud) in enumerate(payments)
    ]


def _times_of_day(draw: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    hour = draw.choice(24, size=count, p=_HOUR_WEIGHTS / _HOUR_WEIGHTS.sum())
    return hour * HOUR_NS + draw.integers(0, HOUR_NS, size=count)


def _amounts(draw: np.random.Generator, level: float, sigma: float, count: int) -> npt.NDArray[np.float64]:
    return np.maximum(0.01, level * draw.lognormal(0.0, sigma, count)).round(2)


def _history(draw: np.random.Generator, payments: list[_Payment], start_ns: int) -> History:
    customer, shop, time_ns, amount, fraud = zip(*payments, strict=True) if payments else ((), (), (), (), ())
    event_time_ns = start_ns + np.array(time_ns, dtype=np.int64)
    in_time = np.argsort(event_time_ns, kind="stable")
    number = np.empty(len(in_time), dtype=np.int64)
    number[in_time] = np.arange(len(in_time))
    report_days = np.minimum(draw.exponential(_MEAN_REPORT_DAYS, len(payments)), _LATEST_REPORT_DAYS)
    return in_order(
        History(
            TextColumn.of([f"t{at:08d}" for at in number.tolist()]),
            TextColumn.of([f"customer-{at:05d}" for at in customer]),
            TextColumn.of([f"merchant-{at:04d}" for at in shop]),
            np.array(amount, dtype=np.float64),
            event_time_ns,
            np.array(fraud, dtype=np.bool_),
            event_time_ns + (report_days * DAY_NS).astype(np.int64),
        )
    )
