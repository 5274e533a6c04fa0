import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.customer_profile import CUSTOMER_FEATURES, CustomerProfile
from risk.event_time import LATE_LIMIT_NS

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
START_NS = 1_767_225_600 * SECOND_NS
"""2026-01-01, a Thursday."""
DAYS = (1, 7, 30)

Payment = tuple[str, int, float]
"""Customer, event time in nanoseconds, amount."""

steps_ns = st.one_of(
    st.sampled_from([0, 1, DAY_NS - 1, DAY_NS, DAY_NS + 1, 7 * DAY_NS, 30 * DAY_NS, -1, -DAY_NS]),
    st.integers(0, DAY_NS // 2),
    st.integers(0, 40 * DAY_NS),
    st.integers(-2 * DAY_NS, -1),
)
"""Mostly onward, sometimes at a window's very edge, and sometimes back: then the event is late."""


def in_sequence(drawn: list[tuple[str, int, int]]) -> list[Payment]:
    """Return payments at the times that the steps lead to, but for those that come too late."""
    times = accumulate(step for _, step, _ in drawn)
    payments = [(one[0], START_NS + time_ns, one[2] / 10_000) for one, time_ns in zip(drawn, times, strict=True)]
    clock = counted_at(payments)
    return [one for one, time_ns in zip(payments, clock, strict=True) if one[1] >= time_ns - LATE_LIMIT_NS]


payments = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "é"]),
        steps_ns,
        st.one_of(st.integers(0, 2_000_000), st.sampled_from([0, 1, 50_000, 50_000])),
    ),
    max_size=40,
).map(in_sequence)


def features_of(history: list[Payment]) -> dict[str, list[float]]:
    """Return what the profile gives for payments in their order, by the feature's name."""
    features = CustomerProfile().advance(
        [one[0] for one in history],
        np.array([one[1] for one in history], dtype=np.int64),
        np.array([one[2] for one in history], dtype=np.float64),
    )
    assert features.shape == (len(history), len(CUSTOMER_FEATURES))
    return {name: features[:, at].tolist() for at, name in enumerate(CUSTOMER_FEATURES)}


def counted_at(history: list[Payment]) -> list[int]:
    """Return the time that each payment counts at: the greatest that its customer had shown by then."""
    return [max(one[1] for one in history[: at + 1] if one[0] == history[at][0]) for at in range(len(history))]


@given(payments)
def test_the_moment_of_a_payment_is_told_as_a_calendar_does(history: list[Payment]) -> None:
    """Amount, weekend, night and time of day are of the time written in the event, be it late or not."""
    found = features_of(history)
    for at, (_, time_ns, amount) in enumerate(history):
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_ns // 1000)
        midnight = when.replace(hour=0, minute=0, second=0, microsecond=0)
        assert found["amount"][at] == amount
        assert found["is_weekend"][at] == (when.strftime("%a") in ("Sat", "Sun"))
        assert found["is_night"][at] == (when.hour <= 6)
        assert found["time_of_day"][at] == pytest.approx((when - midnight) / timedelta(days=1), abs=2e-11)


@given(payments)
def test_windows_are_those_of_a_plain_twin(history: list[Payment]) -> None:
    """Counts are exact, and means right to the last digit, over all payments in (t - window, t]."""
    found, clock = features_of(history), counted_at(history)
    for at, (customer, _, _) in enumerate(history):
        for days in DAYS:
            inside = [
                Fraction(round(10_000 * amount), 10_000)
                for (other, _, amount), time_ns in zip(history[: at + 1], clock, strict=False)
                if other == customer and clock[at] - days * DAY_NS < time_ns
            ]
            assert found[f"customer_count_{days}d"][at] == len(inside)
            mean = float(sum(inside) / len(inside))
            assert found[f"customer_mean_amount_{days}d"][at] == pytest.approx(mean, rel=4e-16, abs=0)


@given(payments)
def test_decayed_moments_are_those_of_a_plain_twin(history: list[Payment]) -> None:
    """Decayed counts, means and z-scores are the weighted ones of all payments before this one."""
    found, clock = features_of(history), counted_at(history)
    for days in DAYS:
        pasts: dict[str, list[tuple[int, float]]] = {}
        for at, (customer, _, amount) in enumerate(history):
            past = pasts.setdefault(customer, [])
            weights = [math.exp(-((clock[at] - time_ns) / DAY_NS) / days) for time_ns, _ in past]
            if math.fsum(weights) < 1e-12:
                # So little weight is forgotten for good.
                past.clear()
                weights = []
            count = math.fsum(weights)
            mean = math.fsum(w * one for w, (_, one) in zip(weights, past, strict=True)) / (count or 1.0)
            variance = math.fsum(w * (one - mean) ** 2 for w, (_, one) in zip(weights, past, strict=True))
            variance /= count or 1.0
            past.append((clock[at], amount))
            assert found[f"customer_decayed_count_{days}d"][at] == pytest.approx(count, rel=1e-11, abs=1e-14)
            assert found[f"customer_decayed_mean_{days}d"][at] == pytest.approx(mean, rel=1e-9, abs=1e-9)
            z = found[f"customer_amount_z_{days}d"][at]
            if variance > 1.001e-9 * mean**2:
                assert z == pytest.approx((amount - mean) / math.sqrt(variance), rel=1e-5, abs=1e-7)
            elif variance < 0.999e-9 * mean**2 or variance == 0.0:
                assert z == 0.0


@given(payments)
def test_outliers_are_those_of_a_plain_twin(history: list[Payment]) -> None:
    """Ratio, decayed count and onset are those found by listing each customer's outliers and their bursts."""
    found, clock = features_of(history), counted_at(history)
    outliers: dict[str, list[int]] = {}
    for at, (customer, _, amount) in enumerate(history):
        mean = found["customer_decayed_mean_30d"][at]
        ratio = amount / mean if mean > 0.0 else 1.0
        assert found["customer_amount_ratio"][at] == min(ratio, 10.0)
        past = outliers.setdefault(customer, [])
        count = math.fsum(math.exp(-(clock[at] - time_ns) / DAY_NS / 14) for time_ns in past)
        assert found["customer_outlier_count_14d"][at] == pytest.approx(count, rel=1e-11, abs=1e-14)
        since = clock[at]
        for time_ns in reversed(past):
            if since - time_ns >= 14 * DAY_NS:
                break
            since = time_ns
        in_burst = bool(past) and clock[at] - past[-1] < 14 * DAY_NS
        onset = min((clock[at] - since) / DAY_NS, 28.0) if in_burst else 28.0
        assert found["customer_outlier_onset_days"][at] == onset
        if ratio > 3.0:
            past.append(clock[at])


def test_a_burst_of_outliers_ends_with_fourteen_days_without_one() -> None:
    """An amount of more than three times the mean begins a burst, which others prolong and two quiet weeks end."""
    days = (0, 1, 2, 15, 29, 30)
    amounts = (10.0, 30.0, 80.0, 900.0, 90_000.0, 1.0)
    found = features_of([("ann", START_NS + day * DAY_NS, one) for day, one in zip(days, amounts, strict=True)])
    # The second is three times the mean, no more: the burst begins with the third.
    assert found["customer_amount_ratio"][1] == 3.0
    assert found["customer_outlier_onset_days"] == [28.0, 28.0, 28.0, 13.0, 28.0, 1.0]


@pytest.mark.parametrize("days", DAYS)
def test_a_payment_leaves_a_window_when_it_is_as_old_as_the_window(days: int) -> None:
    """A payment one nanosecond younger than the window counts; one just as old does not."""
    for age_ns, count in ((days * DAY_NS - 1, 2.0), (days * DAY_NS, 1.0)):
        found = features_of([("ann", START_NS, 10.0), ("ann", START_NS + age_ns, 30.0)])
        assert found[f"customer_count_{days}d"] == [1.0, count]


def test_a_late_payment_counts_at_the_clock_of_its_customer_alone() -> None:
    """A payment of last week counts among today's of its customer, and another customer's clock is not touched."""
    found = features_of(
        [
            ("ann", START_NS, 1.0),
            ("bob", START_NS - 8 * DAY_NS, 2.0),
            ("ann", START_NS - 7 * DAY_NS, 3.0),
            ("bob", START_NS, 4.0),
        ]
    )
    assert found["customer_count_1d"] == [1.0, 1.0, 2.0, 1.0]
    assert found["customer_count_7d"] == [1.0, 1.0, 2.0, 1.0]
    assert found["customer_count_30d"] == [1.0, 1.0, 2.0, 2.0]


@given(payments, st.lists(st.tuples(st.integers(0, 39), st.integers(1, 60 * DAY_NS)), max_size=5))
def test_a_payment_that_comes_too_late_has_no_features_and_leaves_no_trace(
    history: list[Payment], late: list[tuple[int, int]]
) -> None:
    """More than seven days behind its customer's clock, a payment gives NaN alone; all others are as without it."""
    clock = counted_at(history)
    mixed: list[tuple[Payment, bool]] = []
    for at, payment in enumerate(history):
        mixed.append((payment, False))
        mixed += [
            ((payment[0], clock[at] - LATE_LIMIT_NS - behind_ns, 9.0), True) for where, behind_ns in late if where == at
        ]
    found, undisturbed = features_of([one for one, _ in mixed]), features_of(history)
    for name, column in found.items():
        assert all(math.isnan(value) for value, (_, too_late) in zip(column, mixed, strict=True) if too_late)
        assert [v for v, (_, too_late) in zip(column, mixed, strict=True) if not too_late] == undisturbed[name]


def test_night_ends_at_seven_and_the_weekend_with_sunday() -> None:
    """Seven o'clock is no night any more, and Monday's first instant is no weekend any more."""
    saturday = START_NS + 2 * DAY_NS
    edges = (0, 7 * DAY_NS // 24 - 1, 7 * DAY_NS // 24, 2 * DAY_NS - 1, 2 * DAY_NS)
    found = features_of([("ann", saturday - 1, 1.0), *(("ann", saturday + edge, 1.0) for edge in edges)])
    assert found["is_night"] == [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]
    assert found["is_weekend"] == [0.0, 1.0, 1.0, 1.0, 1.0, 0.0]


def test_equal_amounts_have_no_z_score() -> None:
    """What is left of rounding among equal amounts is not taken for a spread."""
    found = features_of(
        [("ann", START_NS + at * DAY_NS // 7, 0.1) for at in range(200)] + [("ann", START_NS + 28 * DAY_NS, 99.0)]
    )
    for days in DAYS:
        assert set(found[f"customer_amount_z_{days}d"]) == {0.0}


def test_windows_of_the_handbook_are_those_of_pandas(shared_data: Path) -> None:
    """Over six weeks of 500 customers, counts and means equal the rolling windows that the Handbook takes by pandas."""
    table = pq.read_table(
        shared_data / "fraud/handbook_20180401_20180814.parquet",
        columns=["TX_TIME_SECONDS", "CUSTOMER_ID", "TX_AMOUNT_CENTS"],
        filters=(pc.field("CUSTOMER_ID") < 500) & (pc.field("TX_TIME_SECONDS") < 42 * 86_400),
    )
    second = table["TX_TIME_SECONDS"].to_numpy().astype(np.int64)
    customer = table["CUSTOMER_ID"].to_numpy()
    cents = table["TX_AMOUNT_CENTS"].to_numpy()
    assert len(cents) > 35_000
    assert np.all(np.diff(second) >= 0)
    first_ns = int(np.datetime64("2018-04-01", "ns").astype(np.int64))
    features = CustomerProfile().advance([str(one) for one in customer], first_ns + second * SECOND_NS, cents / 100)

    at = pd.Index(pd.to_datetime(first_ns + second * SECOND_NS, unit="ns"), name="at")
    frame = pd.DataFrame({"customer": customer, "place": np.arange(len(cents)), "cents": cents}, index=at)
    for days in DAYS:
        rolling = frame.groupby("customer").rolling(f"{days}D", closed="right")
        counts, sums = rolling["cents"].count().to_numpy(), rolling["cents"].sum().to_numpy()
        place = frame.sort_values("customer", kind="stable")["place"].to_numpy()
        assert np.array_equal(features[place, CUSTOMER_FEATURES.index(f"customer_count_{days}d")], counts)
        means = features[place, CUSTOMER_FEATURES.index(f"customer_mean_amount_{days}d")]
        np.testing.assert_allclose(means, sums / counts / 100, rtol=1e-15, atol=0)
    moment = pd.DatetimeIndex(at)
    assert np.array_equal(features[:, CUSTOMER_FEATURES.index("is_weekend")], moment.day_of_week >= 5)
    assert np.array_equal(features[:, CUSTOMER_FEATURES.index("is_night")], moment.hour <= 6)
