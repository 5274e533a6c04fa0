import math
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
from numpy.typing import NDArray

from risk.decayed_moments import DecayedMoments, update_moments

DAY_NS = 86_400_000_000_000
START_NS = 1_767_225_600_000_000_000
DAYS = (1, 7, 30)

Event = tuple[str, int, float]
"""Customer, event time in nanoseconds, amount."""


def in_sequence(steps: list[tuple[str, int, int]]) -> list[Event]:
    """Return events at the times that the steps lead to, with amounts given in cents."""
    times = accumulate(step for _, step, _ in steps)
    return [(one[0], START_NS + time_ns, one[2] / 100) for one, time_ns in zip(steps, times, strict=True)]


events = st.lists(
    st.tuples(
        st.sampled_from(["ann", "é"]),
        st.one_of(st.just(0), st.integers(0, 2 * DAY_NS), st.integers(0, 60 * DAY_NS), st.integers(-3 * DAY_NS, -1)),
        st.one_of(st.integers(0, 100_000), st.just(500)),
    ),
    max_size=40,
).map(in_sequence)


def advance(moments: DecayedMoments, history: list[Event]) -> NDArray[np.float64]:
    """Advance by events given row by row."""
    return moments.advance(
        [one[0] for one in history],
        np.array([one[1] for one in history], dtype=np.int64),
        np.array([one[2] for one in history], dtype=np.float64),
    )


@given(events)
def test_moments_are_those_of_explicit_weights(history: list[Event]) -> None:
    """Count, mean and z-score are weighted averages over the past, in which an event of age a weighs exp(-a / days)."""
    found = advance(DecayedMoments(), history)
    for window, days in enumerate(DAYS):
        clocks: dict[str, int] = {}
        pasts: dict[str, NDArray[np.float64]] = {}
        for at, (customer, time_ns, amount) in enumerate(history):
            clock = clocks[customer] = max(time_ns, clocks.get(customer, 0))
            past = pasts.get(customer, np.empty((0, 2)))
            weights = np.exp((past[:, 0] - (clock - START_NS) / DAY_NS) / days)
            if weights.sum() < 1e-12:
                # So little weight is forgotten for good.
                past, weights = past[:0], weights[:0]
            pasts[customer] = np.vstack([past, [(clock - START_NS) / DAY_NS, amount]])
            count, mean, z = found[at, window::3]
            assert count == pytest.approx(weights.sum(), rel=1e-10)
            if not len(past):
                assert (mean, z) == (0.0, 0.0)
                continue
            expected = np.average(past[:, 1], weights=weights)
            variance = np.average((past[:, 1] - expected) ** 2, weights=weights)
            assert mean == pytest.approx(expected, rel=1e-9, abs=1e-9)
            if variance > 1.001e-9 * expected**2:
                # A past all but forgotten has so little spread that six digits of the distance are lost.
                assert z == pytest.approx((amount - expected) / math.sqrt(variance), rel=1e-4, abs=1e-7)
            elif variance < 0.999e-9 * expected**2 or variance == 0.0:
                assert z == 0.0


def moments_of(amounts: list[float], elapsed_days: float) -> tuple[NDArray[np.float64], ...]:
    """Return weight, mean and spread after amounts at equal distances."""
    weight, mean, spread = np.zeros(3), np.zeros(3), np.zeros(3)
    for amount in amounts:
        update_moments(weight, mean, spread, elapsed_days, amount, np.empty(3), np.empty(3), np.empty(3))
    return weight, mean, spread


@given(
    st.lists(st.integers(0, 1_000), min_size=2, max_size=60),
    st.sampled_from([1e9, 123_456_789.01, 1e6, 0.0]),
    st.sampled_from([0.0, 0.01, 0.7]),
)
def test_small_spreads_about_a_large_mean_are_kept(offsets: list[int], base: float, elapsed_days: float) -> None:
    """Amounts of 1e9 that differ by cents have their variance in exact arithmetic, to the digits that they carry."""
    amounts = [base + offset / 100 for offset in offsets]
    weight, mean, spread = moments_of(amounts, elapsed_days)
    for window, days in enumerate(DAYS):
        weights = [Fraction(math.exp(-elapsed_days * age / days)) for age in range(len(amounts) - 1, -1, -1)]
        total = sum(weights)
        expected = sum(w * Fraction(one) for w, one in zip(weights, amounts, strict=True)) / total
        squares = sum(w * (Fraction(one) - expected) ** 2 for w, one in zip(weights, amounts, strict=True))
        assert weight[window] == pytest.approx(float(total), rel=1e-12)
        assert mean[window] == pytest.approx(float(expected), rel=1e-14)
        # A mean near 1e9 is rounded to 1e-7, and each of up to sixty deviations of at most 10 carries that.
        assert spread[window] == pytest.approx(float(squares), rel=1e-6, abs=60 * 10 * 1e-7)


@given(
    st.floats(0.0, 1e9, allow_subnormal=False),
    st.lists(st.one_of(st.just(0.0), st.floats(0.0, 100.0)), min_size=1, max_size=40),
    st.floats(0.0, 1e9, allow_subnormal=False),
)
def test_constant_amounts_have_no_variance(amount: float, gaps_days: list[float], other: float) -> None:
    """Equal amounts at any distances leave the mean as it is, and no z-score for whatever comes next."""
    times = [START_NS + int(day * DAY_NS) for day in accumulate(gaps_days)]
    found = advance(DecayedMoments(), [*(("ann", one, amount) for one in times), ("ann", times[-1], other)])
    assert np.array_equal(found[:, 6:9], np.zeros((len(times) + 1, 3)))
    assert found[-1, 3:6].tolist() == [amount] * 3


def test_a_spread_of_hardly_anything_is_none() -> None:
    """Amounts within a hundred-thousandth of each other count as equal; those within a hundredth do not."""
    for step, z in ((0.01, 0.0), (10.0, 5.0)):
        found = advance(DecayedMoments(), [("ann", START_NS, 1000.0 + step * at) for at in (0, 2, 6)])
        assert found[-1, 6:9].tolist() == pytest.approx([z] * 3)


def test_a_customer_without_a_past_has_zeros() -> None:
    """The first event has no count, mean or z-score, and after a thousand days it is as if there had been none."""
    later = START_NS + 1_000 * DAY_NS
    history = [("ann", START_NS, 10.0), ("ann", START_NS, 90.0), ("ann", later, 7.0), ("ann", later, 8.0)]
    found = advance(DecayedMoments(), history)
    assert found[[0, 2]].tolist() == [[0.0] * 9] * 2
    assert found[3].tolist() == [1.0] * 3 + [7.0] * 3 + [0.0] * 3


def test_late_events_do_not_turn_back_the_clock() -> None:
    """A late event counts at the customer's clock: it weighs as much as one that came in time."""
    late = [("ann", START_NS, 1.0), ("ann", START_NS - 5 * DAY_NS, 2.0), ("ann", START_NS + DAY_NS, 3.0)]
    in_time = [("ann", START_NS, 1.0), ("ann", START_NS, 2.0), ("ann", START_NS + DAY_NS, 3.0)]
    assert np.array_equal(advance(DecayedMoments(), late), advance(DecayedMoments(), in_time))


@given(events, events)
def test_a_loaded_state_goes_on_as_if_nothing_happened(before: list[Event], after: list[Event]) -> None:
    """Moments loaded from the changed rows give the same bits, and have the same rows, as those that went on."""
    moments, loaded = DecayedMoments(), DecayedMoments()
    advance(moments, before)
    loaded.load(moments.take_changed())
    assert len(loaded) == len(moments) == len({one[0] for one in before})
    assert advance(loaded, after).tobytes() == advance(moments, after).tobytes()
    assert loaded.dump() == moments.dump()


def test_means_of_the_handbook_are_those_of_pandas(shared_data: Path) -> None:
    """Over six weeks of 200 customers, decayed means equal those of pandas, whose half-life is ln 2 of the constant."""
    table = pq.read_table(
        shared_data / "fraud/handbook_20180401_20180814.parquet",
        columns=["TX_TIME_SECONDS", "CUSTOMER_ID", "TX_AMOUNT_CENTS"],
        filters=(pc.field("CUSTOMER_ID") < 200) & (pc.field("TX_TIME_SECONDS") < 42 * 86_400),
    )
    time_ns = table["TX_TIME_SECONDS"].to_numpy().astype(np.int64) * 1_000_000_000 + START_NS
    customer, amount = table["CUSTOMER_ID"].to_numpy(), table["TX_AMOUNT_CENTS"].to_numpy() / 100
    assert len(amount) > 14_000
    found = DecayedMoments().advance([str(one) for one in customer], time_ns, amount)
    frame = pd.DataFrame({"customer": customer, "amount": amount, "at": pd.to_datetime(time_ns, unit="ns")})
    for window, days in enumerate(DAYS):
        half_life = pd.Timedelta(round(math.log(2) * days * DAY_NS), "ns")
        for _, own in frame.groupby("customer"):
            until = own["amount"].ewm(halflife=half_life, times=own["at"]).mean()
            means = found[own.index, 3 + window]
            # What pandas gives for an event includes it: it is the mean as of before the next.
            remembered = found[own.index, window][1:] > 0.0
            np.testing.assert_allclose(means[1:][remembered], until[:-1][remembered], rtol=1e-9, atol=0)
