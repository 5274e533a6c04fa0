from collections.abc import Sequence
from itertools import accumulate, takewhile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from risk.event_order import merge_order
from risk.event_rings import MAX_ENTRIES
from risk.merchant_profile import CLEARANCE, FRAUD, MERCHANT_FEATURES, TRANSACTION, MerchantProfile

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
START_NS = 1_767_225_600 * SECOND_NS
DAYS = (1, 7, 30)

Event = tuple[str, int, int, str, int]
"""Merchant, event time, kind, transaction and its time."""

steps_ns = st.one_of(
    st.sampled_from([0, 1, DAY_NS - 1, DAY_NS, DAY_NS + 1, 6 * DAY_NS, 7 * DAY_NS, 23 * DAY_NS, -1, -DAY_NS]),
    st.integers(0, 10 * DAY_NS),
    st.integers(-10 * DAY_NS, -1),
)


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """Draw a log of transactions and of labels on them, some of which come twice, late, or on what nobody saw."""
    steps = draw(st.lists(steps_ns, max_size=40))
    log: list[Event] = []
    for at, time_ns in enumerate(accumulate(steps, initial=START_NS)):
        seen = [one for one in log if one[2] == TRANSACTION]
        is_label = draw(st.booleans())
        if seen and is_label:
            merchant, _, _, transaction, transaction_ns = draw(st.sampled_from(seen))
            kind = draw(st.sampled_from([FRAUD, FRAUD, CLEARANCE]))
            log.append((merchant, time_ns, kind, transaction, transaction_ns))
        elif draw(st.integers(0, 9)) == 0:
            log.append(("mill", time_ns, FRAUD, f"unseen-{at}", time_ns - draw(st.integers(-1, 40)) * DAY_NS))
        else:
            log.append((draw(st.sampled_from(["mill", "café"])), time_ns, TRANSACTION, f"t{at}", time_ns))
    return log


def advance(record: MerchantProfile, log: Sequence[Event]) -> NDArray[np.float64]:
    """Advance by events given row by row."""
    return record.advance(
        [one[0] for one in log],
        np.array([one[1] for one in log], dtype=np.int64),
        np.array([one[2] for one in log], dtype=np.uint8),
        [one[3] for one in log],
        np.array([one[4] for one in log], dtype=np.int64),
    )


def features_of(log: Sequence[Event]) -> list[dict[str, float]]:
    """Return what the record gives for each event, by the feature's name."""
    return [dict(zip(MERCHANT_FEATURES, row, strict=True)) for row in advance(MerchantProfile(), log).tolist()]


def plain(log: Sequence[Event]) -> list[dict[str, float]]:
    """Return the same by scanning all that came before, for each event anew."""
    found = []
    for at, (merchant, _, kind, _, _) in enumerate(log):
        own = [one for one in log[: at + 1] if one[0] == merchant]
        counted: list[int] = []
        reported: dict[str, int] = {}
        for _, time_ns, what, transaction, transaction_ns in own:
            if what == TRANSACTION:
                counted.append(max([time_ns, *counted]))
            elif what == FRAUD:
                reported[transaction] = transaction_ns
            else:
                reported.pop(transaction, None)
        row = dict.fromkeys(MERCHANT_FEATURES, 0.0)
        for days in DAYS if kind == TRANSACTION else ():
            until_ns = counted[-1] - 7 * DAY_NS
            window = range(until_ns - days * DAY_NS + 1, until_ns + 1)
            count = sum(one in window for one in counted)
            frauds = sum(one in window for one in reported.values())
            row[f"merchant_count_{days}d"] = count
            row[f"merchant_fraud_rate_{days}d"] = min(frauds, count) / count if count else 0.0
        if kind == TRANSACTION:
            row |= plain_runs(counted, list(reported.values()))
        found.append(row)
    return found


def plain_runs(counted: list[int], reported: list[int]) -> dict[str, float]:
    """Return the runs up to 7 days before the last of the counted times, given the times of what was reported."""
    now = counted[-1]
    matured = range(now - 37 * DAY_NS + 1, now - 7 * DAY_NS + 1)
    instants = sorted({one for one in counted if one in matured}, reverse=True)
    since = [*instants[1:], matured.start - 1]
    # An instant is one of fraud if there are as many reports since the instant before it as transactions.
    states = [
        (instant, counted.count(instant), sum(before < one <= instant for one in reported) >= counted.count(instant))
        for instant, before in zip(instants, since, strict=False)
    ]
    clean = list(takewhile(lambda state: not state[2], states))
    frauds = list(takewhile(lambda state: state[2], states[len(clean) :]))
    newest_clean = next((instant for instant, _, fraud in states if not fraud), matured.start - 1)
    return {
        "merchant_clean_run": sum(count for _, count, _ in clean),
        "merchant_clean_days": (now - newest_clean) / DAY_NS,
        "merchant_fraud_run": sum(count for _, count, _ in frauds),
        "merchant_fraud_onset_days": (now - (frauds[-1][0] if frauds else matured.start - 1)) / DAY_NS,
    }


@given(logs())
def test_features_are_those_of_a_plain_twin(log: list[Event]) -> None:
    """Counts, fraud rates and runs equal those of a scan over the whole past, to the last bit; labels give zeros."""
    assert features_of(log) == plain(log)


def rates(*log: tuple[int, int, str, int]) -> list[float]:
    """Return the fraud rate over 30 days after each event of one merchant, with days for times."""
    events = [("mill", START_NS + day * DAY_NS, kind, one, START_NS + of * DAY_NS) for day, kind, one, of in log]
    return [row["merchant_fraud_rate_30d"] for row in features_of(events)]


def test_nothing_counts_before_seven_days_have_passed() -> None:
    """A transaction and its report count from 7 days after the transaction on, not a nanosecond before."""
    log: list[Event] = [
        ("mill", START_NS, TRANSACTION, "a", START_NS),
        ("mill", START_NS + 1, FRAUD, "a", START_NS),
        ("mill", START_NS + 7 * DAY_NS - 1, TRANSACTION, "b", START_NS + 7 * DAY_NS - 1),
        ("mill", START_NS + 7 * DAY_NS, TRANSACTION, "c", START_NS + 7 * DAY_NS),
    ]
    found = features_of(log)
    for days in DAYS:
        assert [one[f"merchant_count_{days}d"] for one in found] == [0.0, 0.0, 0.0, 1.0]
        assert [one[f"merchant_fraud_rate_{days}d"] for one in found] == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize("days", DAYS)
def test_a_transaction_leaves_a_window_when_it_is_as_old_as_delay_and_window(days: int) -> None:
    """A transaction one nanosecond younger than delay and window counts; one just as old does not."""
    for age_ns, count in (((7 + days) * DAY_NS - 1, 1.0), ((7 + days) * DAY_NS, 0.0)):
        later = START_NS + age_ns
        found = features_of([("mill", START_NS, TRANSACTION, "a", START_NS), ("mill", later, TRANSACTION, "b", later)])
        assert found[1][f"merchant_count_{days}d"] == count


def runs(*log: tuple[int, int, str, int]) -> list[float]:
    """Return the run features after the last event of one merchant, with days for times."""
    events = [("mill", START_NS + day * DAY_NS, kind, one, START_NS + of * DAY_NS) for day, kind, one, of in log]
    return list(features_of(events)[-1].values())[6:]


def test_a_run_of_frauds_is_told_from_one_that_is_over() -> None:
    """The run and its onset stay when clean transactions follow it, whose number and age are told before it."""
    going_on = [
        *((day, TRANSACTION, f"t{day}", day) for day in range(6)),
        *((day + 6, FRAUD, f"t{day}", day) for day in (4, 2, 3)),
    ]
    assert runs(*going_on, (11, TRANSACTION, "z", 11)) == [0.0, 10.0, 3.0, 9.0]
    assert runs(*going_on, (12, TRANSACTION, "z", 12)) == [1.0, 7.0, 3.0, 10.0]
    assert runs(*going_on, (12, FRAUD, "t5", 5), (12, TRANSACTION, "z", 12)) == [0.0, 11.0, 4.0, 10.0]
    assert runs(*going_on, (12, CLEARANCE, "t3", 3), (12, TRANSACTION, "z", 12)) == [1.0, 7.0, 1.0, 8.0]
    assert runs((0, TRANSACTION, "z", 0)) == [0.0, 37.0, 0.0, 37.0]


def test_transactions_of_one_instant_are_frauds_together() -> None:
    """Two transactions of one instant make a run of two once both are reported, and none before."""
    log = [(0, TRANSACTION, "a", 0), (0, TRANSACTION, "b", 0), (7, FRAUD, "b", 0)]
    assert runs(*log, (8, TRANSACTION, "z", 8)) == [2.0, 8.0, 0.0, 37.0]
    assert runs(*log, (7, FRAUD, "a", 0), (8, TRANSACTION, "z", 8)) == [0.0, 37.0, 2.0, 8.0]


def test_a_second_report_changes_nothing() -> None:
    """Two reports on one of two transactions make one fraud of two."""
    log = [(0, TRANSACTION, "a", 0), (0, TRANSACTION, "b", 0), (1, FRAUD, "a", 0), (2, FRAUD, "a", 0)]
    assert rates(*log, (8, TRANSACTION, "c", 8))[-1] == 0.5


def test_a_clearance_takes_the_report_back() -> None:
    """After a clearance there is no fraud, however often it was reported; a later report counts again."""
    log = [(0, TRANSACTION, "a", 0), (1, FRAUD, "a", 0), (2, FRAUD, "a", 0), (3, CLEARANCE, "a", 0)]
    assert rates(*log, (8, TRANSACTION, "c", 8))[-1] == 0.0
    assert rates(*log, (4, FRAUD, "a", 0), (8, TRANSACTION, "c", 8))[-1] == 1.0
    assert rates(*log, (3, CLEARANCE, "b", 0), (8, TRANSACTION, "c", 8))[-1] == 0.0


def test_a_late_report_counts_from_then_on() -> None:
    """A report that comes after more than 7 days changes what follows it, not what came before."""
    log = [(0, TRANSACTION, "a", 0), (8, TRANSACTION, "b", 8), (9, FRAUD, "a", 0), (10, TRANSACTION, "c", 10)]
    assert rates(*log) == [0.0, 0.0, 0.0, 1.0]


def test_a_late_transaction_counts_at_the_clock_of_its_merchant() -> None:
    """A transaction of long ago sees today's windows, and is itself counted 7 days from today."""
    days = [0, 8, 0, 14, 15]
    log = [
        ("mill", START_NS + day * DAY_NS, TRANSACTION, f"t{at}", START_NS + day * DAY_NS) for at, day in enumerate(days)
    ]
    assert [row["merchant_count_30d"] for row in features_of(log)] == [0.0, 1.0, 1.0, 1.0, 3.0]


def test_a_report_too_old_to_count_is_not_kept() -> None:
    """A report on what lies before every window leaves no trace, and one that grows as old leaves with it."""
    now = START_NS + 37 * DAY_NS
    first = [("mill", now, TRANSACTION, "b", now), ("mill", now, FRAUD, "b", now)]
    record, without = MerchantProfile(), MerchantProfile()
    advance(record, first)
    advance(without, first)
    advance(record, [("mill", now, FRAUD, "a", START_NS)])
    assert record.dump() == without.dump()
    advance(record, [("mill", now, FRAUD, "a", START_NS + 1)])
    assert record.dump() != without.dump()
    for one in (record, without):
        advance(one, [("mill", now + 1, TRANSACTION, "c", now + 1)])
    assert record.dump() == without.dump()


def test_reports_are_bounded_and_the_newest_are_kept() -> None:
    """Beyond the bound those on the oldest transactions make room, and memory no longer grows."""
    record = MerchantProfile()
    later = START_NS + 9 * DAY_NS
    reports = [("mill", START_NS, FRAUD, f"t{at}", START_NS + at) for at in reversed(range(MAX_ENTRIES + 6))]
    advance(record, [*(("mill", START_NS + at, TRANSACTION, f"t{at}", START_NS + at) for at in range(20)), *reports])
    size = len(record.dump()[b"mill"])
    # The reports on the first six of twenty transactions are not kept; taking back others shows who is left.
    cleared = [("mill", START_NS, CLEARANCE, f"t{at}", START_NS + at) for at in range(20, MAX_ENTRIES + 6)]
    found = advance(record, [*cleared, ("mill", later, TRANSACTION, "z", later)])
    assert found[-1].tolist()[:6] == [0.0, 20.0, 20.0, 0.0, 14 / 20, 14 / 20]
    assert found[-1].tolist()[6:] == [0.0, (later - START_NS - 5) / DAY_NS, 14.0, (later - START_NS - 6) / DAY_NS]
    assert size < 24 * (MAX_ENTRIES + 20) + 100


def test_fraud_rates_of_the_handbook_are_those_of_its_own_code(shared_data: Path) -> None:
    """With reports after 7 days, counts and risks of 1,000 terminals equal what the Handbook computes by pandas.

    Runs equal those of the labels themselves.

    The formula is `get_count_risk_rolling_window` of its chapter 3.6, "Baseline feature transformation".
    """
    table = pq.read_table(
        shared_data / "fraud/handbook_20180401_20180814.parquet",
        columns=["TX_TIME_SECONDS", "TERMINAL_ID", "TX_FRAUD"],
        filters=(pc.field("TERMINAL_ID") < 1000) & (pc.field("TX_TIME_SECONDS") < 60 * 86_400),
    )
    time_ns = table["TX_TIME_SECONDS"].to_numpy().astype(np.int64) * SECOND_NS + START_NS
    terminal, fraud = table["TERMINAL_ID"].to_numpy(), table["TX_FRAUD"].to_numpy()
    count = len(fraud)
    reported = np.flatnonzero(fraud)
    assert count > 50_000
    assert len(reported) > 300

    of = np.concatenate([np.arange(count), reported])
    event_time_ns = np.concatenate([time_ns, time_ns[reported] + 7 * DAY_NS])
    is_transaction = np.arange(len(of)) < count
    order = merge_order(event_time_ns, is_transaction, [f"t{one}" for one in of])
    given_order = of[order]
    features = MerchantProfile().advance(
        [f"m{one}" for one in terminal[given_order]],
        event_time_ns[order],
        np.where(is_transaction[order], np.uint8(TRANSACTION), np.uint8(FRAUD)),
        [f"t{one}" for one in given_order],
        time_ns[given_order],
    )
    transactions = np.flatnonzero(is_transaction[order])
    found = np.empty((count, len(MERCHANT_FEATURES)))
    found[given_order[transactions]] = features[transactions]

    frame = pd.DataFrame(
        {"terminal": terminal, "place": np.arange(count), "fraud": fraud}, index=pd.to_datetime(time_ns, unit="ns")
    )
    place = frame.sort_values("terminal", kind="stable")["place"].to_numpy()

    def rolling(days: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        windows = frame.groupby("terminal")["fraud"].rolling(f"{days}D")
        return windows.sum().to_numpy(), windows.count().to_numpy()

    frauds_in_delay, count_in_delay = rolling(7)
    for at, days in enumerate(DAYS):
        frauds, counts = rolling(7 + days)
        in_window = counts - count_in_delay
        risk = np.divide(frauds - frauds_in_delay, in_window, out=np.zeros(count), where=in_window > 0)
        assert np.array_equal(found[place, at], in_window)
        assert np.array_equal(found[place, 3 + at], risk)
    assert np.count_nonzero(found[:, 5]) > 2_000
    assert np.array_equal(found[:, 6:], runs_by_label(time_ns, terminal, fraud))


def runs_by_label(
    time_ns: NDArray[np.int64], terminal: NDArray[np.int64], fraud: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the run features of transactions in order of time by going back over each terminal's labels."""
    found = np.empty((len(time_ns), 4))
    pasts: dict[int, list[tuple[int, int]]] = {}
    for at, (now, where, label) in enumerate(zip(time_ns.tolist(), terminal.tolist(), fraud.tolist(), strict=True)):
        past = pasts.setdefault(where, [])
        matured = [one for one in reversed(past) if 7 * DAY_NS <= now - one[0] < 37 * DAY_NS]
        clean = list(takewhile(lambda one: not one[1], matured))
        frauds = list(takewhile(lambda one: one[1], matured[len(clean) :]))
        newest_clean = next((time for time, is_fraud in matured if not is_fraud), now - 37 * DAY_NS)
        onset = frauds[-1][0] if frauds else now - 37 * DAY_NS
        found[at] = len(clean), (now - newest_clean) / DAY_NS, len(frauds), (now - onset) / DAY_NS
        past.append((now, label))
    return found
